"""Rules for captions by length, and captions as sentences."""

import re

from model.caption_text import DANGLING, decoding_rules, hedge, rules_of_length, sentence
from model.config import ModelConfig
from model.vocabulary import SPECIAL, Vocabulary


def test_a_sentence_has_a_capital_and_a_full_stop():
    assert sentence(["a", "dog", "in", "the", "snow"]) == "A dog in the snow."
    assert sentence([]) == ""


def test_an_unsure_sentence_is_hedged():
    assert hedge(["a", "dog"]) == "Could be: a dog."


def test_the_rules_follow_the_model():
    vocabulary = Vocabulary([*SPECIAL, "a", "dog", "the"])
    rules = decoding_rules(ModelConfig(vocabulary_size=7, max_words=9, length_penalty=0.5), vocabulary)
    assert (rules.start, rules.end, rules.max_words, rules.length_penalty) == (1, 2, 9, 0.5)
    assert set(rules.forbidden) == {0, 1, 3}
    assert set(rules.dangling) == {4, 6}


def test_short_has_fewer_words_and_long_counts_words_for_more():
    normal = decoding_rules(ModelConfig(vocabulary_size=7), Vocabulary([*SPECIAL, "a", "dog", "the"]))
    short, long = rules_of_length(normal, "short"), rules_of_length(normal, "long")
    assert rules_of_length(normal, "normal") == normal
    assert short.max_words < normal.max_words == long.max_words
    assert short.length_penalty < normal.length_penalty < long.length_penalty


def test_people_hardly_ever_end_on_a_dangling_word(flickr8k):
    uses, ends = dict.fromkeys(DANGLING, 0), dict.fromkeys(DANGLING, 0)
    for line in (flickr8k / "Flickr8k.token.txt").read_text().splitlines():
        words = re.findall(r"[a-z']+", line.split("\t")[1].lower())
        for word in set(words) & uses.keys():
            uses[word] += 1
            ends[word] += words[-1] == word
    assert all(47 * ends[word] <= uses[word] + 46 for word in DANGLING)
