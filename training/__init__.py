"""From a folder of captioned photos to a model folder: data, features, training, evaluation."""
