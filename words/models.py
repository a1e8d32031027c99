"""What words takes and gives."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from words.spelling import to_prefix, to_word

MAX_LOOKED_UP = 100

Word = Annotated[str, AfterValidator(to_word), Field(json_schema_extra={"pattern": "^[A-Za-z]{5}$"})]
Prefix = Annotated[str, AfterValidator(to_prefix), Field(json_schema_extra={"pattern": "^[A-Za-z]{0,5}$"})]


class KnownWord(BaseModel):
    """A word that may be guessed."""

    model_config = ConfigDict(json_schema_extra={"example": {"word": "crane"}})

    word: str = Field(description="five letters a-z", pattern="^[a-z]{5}$")


class NewLookup(BaseModel):
    """Words to look up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"words": ["crane", "zzzzz"]}})

    words: list[Word] = Field(
        min_length=1, max_length=MAX_LOOKED_UP, description="each five letters a-z; upper case is taken as lower"
    )


class Lookup(BaseModel):
    """What the dictionary knows of them."""

    model_config = ConfigDict(json_schema_extra={"example": {"known": ["crane"]}})

    known: list[str] = Field(description="those that may be guessed, in alphabetical order")


class WordPage(BaseModel):
    """A page of the dictionary, in alphabetical order."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["crane", "crank", "crape"]}})

    words: list[str] = Field(description="words of five letters a-z")
