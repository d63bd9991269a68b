"""Weights and samples: fetched by ordinary packages, checked by digest, converted, cached."""
