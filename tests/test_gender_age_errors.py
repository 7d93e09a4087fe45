"""How often captions name a gender or an age that the references do not."""

from training.evaluation.gender_age_errors import gender_age_errors


def lines(*texts):
    return [text.split() for text in texts]


def test_guesses_are_compared_with_the_references():
    said = lines("a man runs", "a boy runs", "a woman and a man", "a dog", "a girl sits", "a man waits")
    references = [
        lines("a man is running", "he runs"),  # right, both
        lines("a woman runs"),  # wrong, both
        lines("two people"),  # guesses at both sexes at once: not counted; grown-ups: unsaid
        lines("a dog"),
        lines("a child in a chair"),  # sex unsaid, age right
        lines("a woman and a man"),  # one of both: not wrong
    ]
    judged = gender_age_errors(said, references)
    assert judged["sex"] == {"guesses": 4, "wrong": 1 / 4, "unsaid": 1 / 4}
    assert judged["age"] == {"guesses": 5, "wrong": 1 / 5, "unsaid": 1 / 5}


def test_a_model_that_names_nobody_guesses_nothing():
    assert gender_age_errors(lines("a dog"), [lines("a man")])["sex"] == {"guesses": 0, "wrong": 0, "unsaid": 0}
