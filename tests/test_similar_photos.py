"""Photos with similar captions."""

from training.captioning.similar_photos import similar_photos

DOG, GRASS, BALL, MAN, BIKE, RUNS = range(6)
CAPTIONS = {
    "dog with ball": [[DOG, BALL], [DOG, RUNS, GRASS]],
    "man on bike": [[MAN, BIKE], [MAN, RUNS]],
    "dog": [[DOG, GRASS], [DOG, RUNS]],
    "man": [[MAN], [MAN, RUNS]],
}


def test_photos_that_share_rare_words_are_similar():
    similar = similar_photos(CAPTIONS, 1)
    assert similar == {
        "dog with ball": ["dog"],
        "man on bike": ["man"],
        "dog": ["dog with ball"],
        "man": ["man on bike"],
    }


def test_a_photo_is_never_similar_to_itself_and_few_photos_have_few_others():
    similar = similar_photos(CAPTIONS, 10)
    assert all(len(others) == 3 and name not in others for name, others in similar.items())


def test_words_that_every_photo_has_say_nothing():
    assert similar_photos({"one": [[RUNS]], "two": [[RUNS]], "three": [[RUNS]]}, 1) == {
        "one": ["two"],
        "two": ["one"],
        "three": ["one"],
    }
