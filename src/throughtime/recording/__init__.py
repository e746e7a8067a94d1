"""What happened inside: values, errors, and the routes that errors take."""

from throughtime.recording.finite import Check
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.recorder import record
from throughtime.recording.recording import Recording, load_recording
from throughtime.recording.routes import Routes

__all__ = ["Check", "LayerRecord", "Recording", "Routes", "load_recording", "record"]
