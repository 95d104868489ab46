"""What a decipherment says of itself is true of controls, too."""

from __future__ import annotations

from dataclasses import replace

from genomecli.analysis.decipherment.decipher import SHUFFLED, Control, Deciphered
from genomecli.analysis.decipherment.drawing import title_of
from genomecli.analysis.decipherment.judged import judge
from genomecli.analysis.decipherment.story import sentences
from tests.unit.analysis.decipherment.test_decipher import found_in, made


def _said(found: Deciphered) -> str:
    return " ".join(sentences(found, judge(found)))


def test_proteins_made_on_purpose_are_not_called_the_annotator_s() -> None:
    found = found_in(made(5, 40), controls=False)
    own = replace(found.sources, proteins="a", relation="disjoint")
    wrong = replace(own, translated_with=12)
    assert "annotator's translation" in _said(replace(found, sources=own))
    assert "its own proteome" in title_of(replace(found, sources=own))
    said = _said(replace(found, sources=wrong))
    assert "annotator" not in said
    assert "on purpose with code 12" in said
    assert "genes translated with code 12" in title_of(replace(found, sources=wrong))


def test_no_code_is_named_best_where_the_texts_hold_none() -> None:
    found = replace(found_in(made(5, 40), controls=False), value=1.0, spread=0.1)
    far, near = (Control(SHUFFLED, value) for value in (0.1, 0.95))
    assert "all read these codons as code 1 or 12 does" in _said(replace(found, controls=(far,)))
    said = _said(replace(found, controls=(near,)))
    assert "code 1 or 12" not in said
    assert "mean nothing here" in said
    assert "not told from that of texts which hold no code" in said


def test_frame_0_is_not_called_a_text_without_a_code() -> None:
    found = replace(found_in(made(5, 40), controls=False), value=1.0, spread=0.1)
    said = _said(replace(found, controls=(Control("frame 0", 3.0), Control(SHUFFLED, 0.1))))
    assert "more evidence in frame 0" in said
    assert "hold no code (frame 0" not in said


def test_it_is_said_whether_the_answer_followed_a_wrong_translation() -> None:
    found = found_in(made(5, 40), controls=False)
    found = replace(found, value=1.0, sources=replace(found.sources, proteins="a", translated_with=12))
    usual, other = replace(found.codes[0], tables=(1,)), replace(found.codes[0], tables=(12,))
    assert "and it comes first" in _said(replace(found, codes=(other, usual)))
    assert "remains possible" in _said(replace(found, codes=(usual, replace(other, ahead=0.5))))
    assert "did not follow" in _said(replace(found, codes=(usual, replace(other, ahead=1.0))))
