"""The most common passwords of eight characters and more, which an attacker tries first. In casefolded form."""

_TEXT = """
00000000 01234567 0123456789 11111111 1111111111 11223344 12121212 123123123 12341234 12344321 1234512345
123456123456 12345678 123456789 1234567890 1234567891 12345678910 123456789a 12345679 1234567a 1234qwer 123qweasd
135792468 147258369 147852369 159753456 1a2b3c4d 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz@wsx 1qazxsw2 22222222 33333333
44444444 55555555 66666666 77777777 789456123 87654321 88888888 987654321 9876543210 99999999 a1234567 a12345678
a123456789 aa123456 aaaaaaaa abc12345 abcd1234 abcdefgh abcdefghi access14 admin123 adminadmin administrator
alexander americas asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl; babygirl baseball basketball birthday
bismillah butterfly changeme charlie1 chocolate christian computer corvette creative danielle diamond1 dragon123
dubsmash einstein elephant facebook football football1 forever1 freedom1 garfield gateway1 hello123 hellohello
iloveyou iloveyou1 iloveyou2 internet jennifer jonathan jordan23 letmein1 letmein123 liverpool lovelove marlboro
maverick mercedes michael1 michelle midnight monkey123 mountain mustang1 nicholas november p@ssw0rd p@ssword
pa$$word pa55word passw0rd password password! password01 password1 password1! password11 password12 password123
password1234 password2 patricia pokemon1 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc quintet1 quintet123
qwer1234 qwerasdf qwerqwer qwert123 qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop qwertyuiop[] samantha
secret123 september skywalker slipknot snowball soccer123 spiderman startrek starwars sunshine sunshine1 superman
superman1 swordfish test1234 testtest trustno1 victoria welcome1 welcome123 whatever wordpass zaq12wsx zaq1zaq1
zxcvbnm,./ zxcvbnm1 zxcvbnm123
"""
COMMON_PASSWORDS = frozenset(_TEXT.split())
