"""From predictions to signals, activities and the risk gauge."""
