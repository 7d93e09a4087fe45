"""A Penn Treebank tokenizer: lower case, without punctuation.

Captioning papers report scores over the output of the Stanford PTBTokenizer (Java) as pycocoevalcap calls it. Scores
depend on the tokens, so this gives the same ones on captions, without Java. Training, serving and evaluation use it.

Two differences are intended. Brackets and repeated marks ("!!!") are removed, where the original lets `-lrb-` and `!!!`
through by oversight. Web addresses, emoticons and typing errors such as "dog!cat" get no special treatment.
"""

import re

VERSION = "ptb-1"
"""Part of a score's signature. Change it whenever `tokenize` returns other tokens."""

_ABBREVIATIONS = (  # these keep their full stop
    "adm apr aug ave bldg blvd bros capt co col corp ct dec dept dr drs est etc feb fri ft gen gov hon inc jan jr jul "
    "jun lt ltd maj mon mr mrs ms mt nov oct pres prof rd rep rev sen sep sept sgt sq sr st thu thurs tue tues univ vs "
    "wed"
)

_TOKEN = re.compile(
    rf"""
      (?-i: \b [A-Z]+&[A-Z]+ \b )                             # AT&T, though at&t is three tokens
    | \b (?: [a-z]\. )+ (?!\w)                                # U.S. d.c. and initials
    | \b (?: {"|".join(_ABBREVIATIONS.split())} ) \. (?!\w)
    | \b no\. (?=\s*\d)                                       # no. 7
    | (?<!\w) \.?\d+ (?: [,.:/]\d+ )+ | (?<!\w) \.\d+       # 1,000 1.5 3:30 1/2 .5
    | ' (?: n' | [smdn] | re | ve | ll | em | (?<!\d')\d\ds? ) (?!\w)   # clitics that stand alone, and 'n', '90s
    | @? [^\W_] (?: \w | [-./](?=[^\W_]) | (?<=[^\W\d_])'(?=[^\W\d_]) )* (?<!_)   # t-shirt and/or o'clock
    | [^\w\s.,:;?!'"`()\[\]{{}}…–—-] | _                    # any other sign is a token: & % $ #
    """,
    re.IGNORECASE | re.VERBOSE,
)

_CLITIC = re.compile(r"(?<=\w)(n't|'(?:[smd]|re|ve|ll))(?:$|-|(?='ve))")

_TWO_WORDS = {
    "cannot": ["can", "not"],
    "gimme": ["gim", "me"],
    "gonna": ["gon", "na"],
    "gotta": ["got", "ta"],
    "lemme": ["lem", "me"],
    "wanna": ["wan", "na"],
    "y'all": ["y'", "all"],
}

_STRAIGHT_QUOTES = str.maketrans("‘’“”", "''\"\"")


def tokenize(sentence: str) -> list[str]:
    """Tokenise a sentence: `The man's dog doesn't bark.` -> `the man 's dog does n't bark`. May return no token."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(sentence.translate(_STRAIGHT_QUOTES)):
        token = match.group().lower()
        tokens += _TWO_WORDS.get(token) or _CLITIC.sub(r" \1 ", token).split()
    return tokens
