import pytest
import torch

from throughtime.training import Batch


def test_steps_cuts_inputs_targets_and_lengths():
    x, target = torch.arange(30.0).reshape(5, 3, 2), torch.arange(15).reshape(5, 3)
    part = Batch(x, target, torch.tensor([5, 2, 0]), aligned=True).steps(1, 4)
    assert torch.equal(part.inputs, x[1:4])
    assert torch.equal(part.targets, target[1:4])
    assert part.lengths.tolist() == [3, 1, 0]
    assert part.inputs.data_ptr() == x[1:].data_ptr(), "a view, not a copy"


def test_steps_of_an_unaligned_batch_says_why_not():
    with pytest.raises(ValueError, match=r"aligned=True.*\(3,\)"):
        Batch(torch.zeros(5, 3, 2), torch.zeros(3)).steps(0, 2)
