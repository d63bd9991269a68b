"""What the stage `assertion` measures with: a specimen, bare operations, SoftHSM, processes."""
