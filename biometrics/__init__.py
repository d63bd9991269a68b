"""Face comparison and presentation-attack detection on ONNX models."""
