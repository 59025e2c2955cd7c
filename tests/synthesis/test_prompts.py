"""Prompts: cleaning, files, the shipped ones, and asking a language model for them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.io.files import WriteError
from chorus_bench.simulation.prompts import PROMPTS
from chorus_bench.synthesis.prompts import (
    clean_prompts,
    generate_prompts,
    prompt_categories,
    read_prompts,
    shipped_prompts,
    write_prompts,
)
from tests.synthesis.chat_server import Reply, says

PAPER = (
    "bicycle motorcycle bench backpack handbag tie umbrella frisbee skis snowboard sports_ball "
    "baseball_glove skateboard surfboard tennis_racket cell_phone laptop chair bed hat scarf "
    "sunglasses sweater soccer_ball"
)
CATEGORIES = sorted(name.replace("_", " ") for name in PAPER.split())

PEOPLE = "person|man|woman|child|boy|girl"
SYNONYMS = {"sports ball": ("ball", "basketball", "volleyball")}
PRONOUNS = (
    "i me my mine myself you your yours yourself he him his himself she her hers herself it its "
    "itself we us our ours they them their theirs themselves who whom whose which that this "
    "these those one someone somebody something anyone anything everyone other another each"
)


# Cleaning


@pytest.mark.parametrize(
    "line",
    [
        "a person rides a bicycle",
        "  a person  rides\ta bicycle.  ",
        "1. a person rides a bicycle.",
        "12) a person rides a bicycle",
        "(3) a person rides a bicycle",
        "[3] a person rides a bicycle",
        "#4: a person rides a bicycle",
        "5 - a person rides a bicycle",
        "1.a person rides a bicycle",
        "Sentence 2: a person rides a bicycle",
        "- a person rides a bicycle",
        "* a person rides a bicycle",
        "• a person rides a bicycle",
        "**1.** a person rides a bicycle.",
        "1. **a person rides a bicycle.**",
        '1. "a person rides a bicycle."',
        '  "a person rides a bicycle",',
        "“a person rides a bicycle.”",
        "a person rides a bicycle...",
        "a person rides a bicycle。",
        "`a person rides a bicycle`",
    ],
)
def test_cleaned_lines(line):
    assert clean_prompts(line) == ("a person rides a bicycle",)


def test_numbers_of_the_sentence_stay():
    text = "2 people ride a bicycle\n1.5 metres of scarf hang down\na child carries 2 skis."
    assert clean_prompts(text) == (
        "2 people ride a bicycle",
        "1.5 metres of scarf hang down",
        "a child carries 2 skis",
    )


def test_answers_with_more_than_prompts():
    answer = """<think>The user wants
    1. a person eats a bicycle
    </think>
    Here are 3 sentences:

    ```
    # Sentences
    1. A person rides a bicycle.
    2. A person pushes a bicycle.
    3. a person rides a bicycle

    ```
    ---
    """
    assert clean_prompts(answer) == ("A person rides a bicycle", "A person pushes a bicycle")


@pytest.mark.parametrize("answer", ["", " \n\t\n", "1.\n2.\n3.", "...", "<think>hm", "[\n]"])
def test_answers_without_prompts(answer):
    assert clean_prompts(answer) == ()


@given(st.text() | st.text(alphabet="1.)- *\"'`#:,aB\n\u201c\u201d<think/>\ud800\ufeff"))
def test_cleaned_prompts_are_clean(text):
    prompts = clean_prompts(text)
    assert clean_prompts("\n".join(prompts)) == prompts
    assert len({prompt.casefold() for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        assert prompt == " ".join(prompt.split())
        assert not prompt.startswith("#")
        assert not prompt.endswith(".")


# Files


def test_files_are_read(tmp_path):
    text = "# ours\r\n\r\n a person holds an umbrella \r\n  # more\r\n1. A person, outside.\r\n"
    (tmp_path / "umbrella.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    expected = ("a person holds an umbrella", "1. A person, outside.")
    assert read_prompts(tmp_path, "umbrella") == expected
    assert read_prompts(tmp_path / "umbrella.txt", "anything") == expected


def test_names_with_underscores_and_repetitions(tmp_path):
    (tmp_path / "tennis_racket.txt").write_text("b\na\nb\n")
    assert read_prompts(str(tmp_path), "tennis racket") == ("b", "a")


def test_missing_files_are_explained(tmp_path):
    with pytest.raises(InputError, match="no such folder or file"):
        read_prompts(tmp_path / "nowhere", "bench")
    (tmp_path / "bench.txt").write_text("a person sits on a bench")
    with pytest.raises(InputError, match=r"'bench\.txt'.*|.*Did you mean 'bench'") as told:
        read_prompts(tmp_path, "bnech")
    assert "Did you mean 'bench'" in str(told.value)
    with pytest.raises(InputError, match="cannot be a file name"):
        read_prompts(tmp_path, "../bench")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "no prompts"), (b"# only this\n\n", "no prompts"), (b"\xff\xfea\x00", "UTF-8")],
)
def test_files_that_are_none(tmp_path, content, told):
    (tmp_path / "bench.txt").write_bytes(content)
    with pytest.raises(InputError, match=told) as error:
        read_prompts(tmp_path, "bench")
    assert error.value.where.endswith("bench.txt")


@given(st.lists(st.text() | st.sampled_from(["a", " a ", "#", "\ufeffa", "\ud800", "a\x85b"])))
def test_what_is_written_reads_back(tmp_path_factory, prompts):
    folder = tmp_path_factory.mktemp("prompts")
    try:
        write_prompts(folder, {"sports ball": prompts})
    except InputError:
        assert not list(folder.iterdir())
        assert not prompts or any(
            not p.strip() or p.strip().startswith(("#", "\ufeff", "\ud800")) or p.splitlines()[1:]
            for p in prompts
        )
    else:
        expected = tuple(dict.fromkeys(prompt.strip() for prompt in prompts))
        assert read_prompts(folder, "sports ball") == expected


def test_writing_replaces_its_files_only(tmp_path):
    folder = tmp_path / "new" / "prompts"
    files = write_prompts(folder, {"bench": ["a"], "bed": ["b"]})
    assert files == (folder / "bench.txt", folder / "bed.txt")
    write_prompts(folder, {"bed": ["c", "d"]})
    assert read_prompts(folder, "bench") == ("a",)
    assert (folder / "bed.txt").read_bytes() == b"c\nd\n"


@pytest.mark.parametrize("category", ["", "..", "a/b", "a\\b", ".a", "a\nb", "a:b", "\0"])
def test_bad_categories_write_nothing(tmp_path, category):
    with pytest.raises(InputError, match="cannot be a file name"):
        write_prompts(tmp_path, {"bench": ["a"], category: ["b"]})
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        write_prompts(tmp_path / "file" / "below", {"bench": ["a"]})


# The shipped prompts


def test_the_papers_categories_are_shipped():
    assert list(prompt_categories()) == CATEGORIES
    with pytest.raises(InputError, match="Did you mean 'surfboard'"):
        shipped_prompts("surfbord")


@pytest.mark.parametrize("category", CATEGORIES)
def test_shipped_prompts(category):
    prompts = shipped_prompts(category)
    assert 8 <= len(prompts) <= 20
    assert clean_prompts("\n".join(prompts)) == prompts
    names = SYNONYMS.get(category, (category,))
    for prompt in prompts:
        assert re.fullmatch(rf"a ({PEOPLE}) [a-z]+s( [a-z]+)+", prompt), prompt
        assert re.search(rf"\b({'|'.join(names)})\b", prompt.split(" ", 3)[3]), prompt
        assert not set(PRONOUNS.split()) & set(prompt.split()), prompt
        assert len(prompt.split()) <= 11


def test_the_simulated_worlds_prompts_are_shipped():
    """All but one, which does not name the object."""
    ours = set(CATEGORIES) & set(PROMPTS)
    assert len(ours) == 15
    left_out = {p for c in ours for p in PROMPTS[c] if p not in shipped_prompts(c)}
    assert left_out == {"a person skis down a slope"}


# Asking a language model

THREE = "1. A person rides a bicycle.\n2. A person lifts a bicycle.\n3. A person sells a bicycle."
TWO = "A person rides a bicycle\n\nA person lifts a bicycle\nA PERSON lifts a bicycle."


def ask(client, **options):
    return generate_prompts("bicycle", client=client, **{"count": 3, "seed": 5} | options)


def test_the_right_count_at_once(chat, client):
    chat.replies = [says(THREE)]
    found = ask(client, model="other", temperature=0.7)
    assert found.prompts == (
        "A person rides a bicycle",
        "A person lifts a bicycle",
        "A person sells a bicycle",
    )
    assert (found.attempts, found.complete) == (1, True)
    body = chat.requests[0][2]
    assert (body["model"], body["temperature"]) == ("other", 0.7)
    question = body["messages"][0]["content"]
    assert "Write 3 simple sentences" in question
    assert "bicycle" in question


def test_wrong_counts_are_asked_again(chat, client):
    chat.replies = [says(TWO), says(""), says(THREE + "\nfour"), says(THREE), says("unused")]
    found = ask(client)
    assert (len(found.prompts), found.attempts, found.complete) == (3, 4, True)
    seeds = [body["seed"] for _, _, body in chat.requests]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_after_the_last_attempt_what_there_is(chat, client):
    chat.replies = [says("A person rides a bicycle"), says(TWO), says("")]
    found = ask(client, attempts=3)
    assert found.prompts == ("A person rides a bicycle", "A person lifts a bicycle")
    assert (found.attempts, found.complete) == (3, False)
    assert len(chat.requests) == 3


def test_never_more_than_asked_for(chat, client):
    chat.replies = [says(THREE)]
    found = ask(client, count=2, attempts=2)
    assert (found.prompts, found.attempts) == (clean_prompts(THREE)[:2], 2)
    assert found.complete


def test_blank_answers_only(chat, client):
    chat.replies = [says(None), says(" \n")]
    with pytest.raises(ChorusBenchError, match=r"no prompt for 'bicycle' in 5 answers\n.*file of"):
        ask(client)
    assert len(chat.requests) == 5


def test_failures_between_answers(chat, client, waits):
    busy = Reply({"error": "busy"}, 429, {"Retry-After": "3"})
    chat.replies = [busy, says(TWO), Reply({}, 500), Reply(b"{"), says(THREE)]
    assert ask(client).attempts == 2
    assert waits == [3, 1, 2]


def test_an_expired_key_ends_it(chat, client):
    chat.replies = [says(TWO), Reply({"error": "expired"}, 401)]
    with pytest.raises(InputError, match="CHORUS_BENCH_CHAT_KEY"):
        ask(client)


class Writer:
    """Writes as many prompts as it is asked for."""

    def __init__(self):
        self.seeds = []

    def ask(self, question, *, model, temperature, seed):
        self.seeds.append(seed)
        count = int(re.search(r"Write (\d+)", question)[1])
        return "\n".join(f"{i}. a person does thing {'i' * i}" for i in range(1, count + 1))


def test_the_count_is_drawn_from_seed_and_category():
    counts = set()
    for seed in range(200):
        first, again = Writer(), Writer()
        found = generate_prompts("bed", client=first, seed=seed)
        assert generate_prompts("bed", client=again, seed=seed) == found
        assert first.seeds == again.seeds
        assert found.complete
        counts.add(len(found.prompts))
    assert counts == set(range(3, 21))
    drawn = {len(generate_prompts(c, client=Writer(), seed=0).prompts) for c in CATEGORIES}
    assert len(drawn) > 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"category": " "}, "no category"),
        ({"count": 0}, "count is 0"),
        ({"attempts": 0}, "attempts is 0"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
    ],
)
def test_arguments_without_sense(change, told):
    arguments = {"category": "bed", "client": Writer()} | change
    with pytest.raises(InputError, match=told):
        generate_prompts(**arguments)
