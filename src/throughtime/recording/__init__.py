"""What happened inside: values, errors, and the routes that errors take."""

from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.recorder import record
from throughtime.recording.recording import Recording, load_recording

__all__ = ["LayerRecord", "Recording", "load_recording", "record"]
