"""What the tests, the demo and the benchmark share: real servers, made images, other people's tools."""
