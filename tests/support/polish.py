"""A third language that is not in the repository: a few texts of Polish, whose plural has three forms."""

HEADER = r"""
msgid ""
msgstr ""
"Language: pl\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\n"
"""


def entry(key, english, polish):
    """An entry of a .po file. english and polish: a text, or its forms."""
    if isinstance(english, str):
        return f'\nmsgctxt "{key}"\nmsgid "{english}"\nmsgstr "{polish}"\n'
    forms = "".join(f'msgstr[{index}] "{form}"\n' for index, form in enumerate(polish))
    return f'\nmsgctxt "{key}"\nmsgid "{english[0]}"\nmsgid_plural "{english[1]}"\n{forms}'


def write_polish(folder, texts, name="captionbot.po"):
    """Write the translations of texts, by their keys, into folder/pl. What they translate is the English of today."""
    from bots.i18n import template

    (folder / "pl").mkdir(exist_ok=True)
    entries = []
    for key, polish in texts.items():
        forms = template()[key].english.forms
        entries.append(entry(key, forms if len(forms) > 1 else forms[0], polish))
    (folder / "pl" / name).write_text((HEADER + "".join(entries)).replace("\n\n\n", "\n\n"), "utf-8")
