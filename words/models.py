"""What words takes and gives."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from words.spelling import to_prefix, to_word

Word = Annotated[str, AfterValidator(to_word), Field(json_schema_extra={"pattern": "^[A-Za-z]{5}$"})]
Prefix = Annotated[str, AfterValidator(to_prefix), Field(json_schema_extra={"pattern": "^[A-Za-z]{0,5}$"})]


class KnownWord(BaseModel):
    """A word that may be guessed."""

    model_config = ConfigDict(json_schema_extra={"example": {"word": "crane"}})

    word: str = Field(description="five letters a-z", pattern="^[a-z]{5}$")


class Words(BaseModel):
    """A page of the dictionary, in alphabetical order."""

    model_config = ConfigDict(json_schema_extra={"example": {"words": ["crane", "crank", "crape"]}})

    words: list[str] = Field(description="words of five letters a-z")
