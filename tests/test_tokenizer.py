"""The tokenizer gives the tokens of the Stanford PTBTokenizer."""

import random
import re
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics.tokenizer import tokenize

EXAMPLES = {
    "A child in a pink dress climbs up a set of stairs .": "a child in a pink dress climbs up a set of stairs",
    "The man's dog doesn't bark.": "the man 's dog does n't bark",
    "He can't, won't; I'm sure they'd've cannot": "he ca n't wo n't i 'm sure they 'd 've can not",
    "a dog 's ball, already cut, does n't move": "a dog 's ball already cut does n't move",
    "the boys' dogs . dogs ' toys": "the boys dogs dogs toys",
    "“Curly” it’s, \"double\" and 'single'": "curly it 's double and single",
    "10-year-old in a t-shirt - well-known -- dog-": "10-year-old in a t-shirt well-known dog",
    "An ant's-eye-view": "an ant 's eye-view",
    "Mr. Smith of the U.S. in Washington D.C.": "mr. smith of the u.s. in washington d.c.",
    "A statefarm.com hat, A S.C.U.B.A. diver.": "a statefarm.com hat a s.c.u.b.a. diver",
    "1,000 people at 3:30 on Jan. 5, 1/2 of 50% for $5, #7": "1,000 people at 3:30 on jan. 5 1/2 of 50 % for $ 5 # 7",
    "AT&T at&t A & B": "at&t at & t a & b",
    "3 o'clock, rock 'n' roll, 80's movies, the '90s": "3 o'clock rock 'n' roll 80 's movies the '90s",
    "a café, Zürich": "a café zürich",
    "black,white dog;cat:bird wait... what?!": "black white dog cat bird wait what",
    "I'm gonna ride. Y'all wanna?": "i 'm gon na ride y' all wan na",
}


@pytest.mark.parametrize(("sentence", "tokens"), EXAMPLES.items())
def test_a_sentence_is_cut_in_the_penn_treebank_manner(sentence, tokens):
    assert tokenize(sentence) == tokens.split()


def test_brackets_and_repeated_marks_are_removed():
    assert tokenize("A (small) dog [sic] runs!!! {really}") == ["a", "small", "dog", "sic", "runs", "really"]


def test_a_sentence_of_punctuation_has_no_tokens():
    assert tokenize(' . , "!" - ') == []


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_gives_lower_case_tokens_without_spaces(text):
    assert all(token and token == token.lower() and not re.search(r"\s", token) for token in tokenize(text))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("a man 's dog does n't run t-shirt ca can 3:30 u.s. mr. 50 %".split()), max_size=12))
def test_cutting_what_was_cut_changes_nothing(words):
    assert tokenize(" ".join(words)) == words


def test_it_agrees_with_the_java_program_on_written_examples():
    assert [tokenize(sentence) for sentence in EXAMPLES] == java_tokens([*EXAMPLES])


def test_it_agrees_with_the_java_program_on_real_captions(flickr8k):
    lines = (flickr8k / "Flickr8k.token.txt").read_text().splitlines()
    captions = [line.split("\t")[1] for line in random.Random(0).sample(lines, 3000)]
    captions += [line.split("\t")[1] for line in lines if re.search(r"['\"(&=#?:;]|\w[.,]\w|\d", line.split("\t")[1])]
    captions += [re.sub(r" ([.,;:!?]|'s|n't)", r"\1", caption) for caption in captions]  # as people type
    theirs = java_tokens(captions)
    differing = [caption for caption, tokens in zip(captions, theirs, strict=True) if tokenize(caption) != tokens]
    assert differing == []


def java_tokens(sentences: list[str]) -> list[list[str]]:
    """What pycocoevalcap gives, less the brackets and repeated marks that it lets through."""
    ptbtokenizer = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if not shutil.which("java"):
        pytest.skip("Java is not installed")
    lines = ptbtokenizer.PTBTokenizer().tokenize({n: [{"caption": s}] for n, s in enumerate(sentences)})
    left_over = re.compile(r"-[lr][rsc]b-|[!?]{2,}")
    return [[t for t in lines[n][0].split() if not left_over.fullmatch(t)] for n in range(len(sentences))]
