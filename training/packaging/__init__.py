"""Makes a trained model ready to serve: quantisation, calibration, model card."""
