"""One file per detector under the folder of its log type; discovery finds them, `livesec detectors` lists them."""
