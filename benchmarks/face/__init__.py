"""What the face stages share: pictures, the bare model runs, a worker's memory."""
