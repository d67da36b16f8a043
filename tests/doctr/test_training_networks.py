"""Networks made narrower: nothing is lost where nothing was left out, and what was written is read again."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from training import compact, line_training
from training.compact import narrow_decoder
from training.plate_network import SLIM, WIDE, PlateDetector, load_detector
from training.plate_reader import PlateReader, load_reader
from training.plate_slimming import map_loss, slimmed


@pytest.fixture
def crops():
    torch.manual_seed(0)
    return torch.randn(6, 3, 64, 256)


@pytest.fixture
def reader(crops):
    reader = PlateReader().train()
    with torch.no_grad():
        for _ in range(4):  # so that its normalization fits what it sees
            reader(crops)
    return reader.eval()


@torch.no_grad()
def test_a_decoder_that_may_hear_everything_says_the_same(reader, crops, monkeypatch):
    said, corners = reader(crops)
    monkeypatch.setattr(compact, "HEARD", (576, 256))
    narrow_decoder(reader, crops)
    torch.testing.assert_close(reader(crops)[0], said, atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(reader(crops)[1], corners)


@torch.no_grad()
def test_a_narrow_decoder_says_nearly_the_same_of_what_it_was_made_for(reader, crops):
    said = reader(crops)[0]
    narrow_decoder(reader, crops)
    assert reader.recognizer.decoder.layers[0].input_size == compact.HEARD[0]
    assert (reader(crops)[0] - said).abs().mean() < 0.2 * said.std()


@torch.no_grad()
def test_a_reader_is_read_again_as_narrow_as_it_was_written(reader, crops, tmp_path):
    save_file(reader.state_dict(), tmp_path / "whole.safetensors")
    narrow_decoder(reader, crops)
    save_file(reader.state_dict(), tmp_path / "narrow.safetensors")
    again = load_reader(tmp_path / "narrow.safetensors").eval()
    torch.testing.assert_close(again(crops)[0], reader(crops)[0])
    assert isinstance(load_reader(tmp_path / "whole.safetensors").recognizer.decoder, torch.nn.LSTM)


def test_a_narrow_reader_is_not_made_narrower(reader, crops, tmp_path, monkeypatch, capsys):
    narrow_decoder(reader, crops)
    weights = tmp_path / "narrow.safetensors"
    save_file(reader.state_dict(), weights)
    monkeypatch.setattr("sys.argv", ["", "--narrow", f"--resume={weights}", "--pools=pools", "--out=out"])
    with pytest.raises(SystemExit):
        line_training.main()
    assert "narrow.safetensors is narrow already; leave --narrow out" in capsys.readouterr().err


@torch.no_grad()
def test_a_detector_of_all_its_channels_gives_the_same_maps():
    torch.manual_seed(1)
    wide, images = PlateDetector(WIDE).eval(), torch.rand(2, 3, 96, 128)
    whole = slimmed(wide, WIDE)
    ours, theirs = whole.detector.eval().features(images), wide.features(images)
    for mine, other, channels in zip(ours, theirs, whole.kept, strict=True):
        torch.testing.assert_close(mine, other[:, channels])
    assert map_loss(ours, theirs, whole.kept) < 1e-6


def test_a_slim_detector_is_read_again_as_slim_as_it_was_written(tmp_path):
    slim = slimmed(PlateDetector(WIDE), SLIM).detector
    save_file(slim.state_dict(), tmp_path / "slim.safetensors")
    assert load_detector(tmp_path / "slim.safetensors").plan == SLIM
