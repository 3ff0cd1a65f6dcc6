"""What the launcher of a Flex Template runs: the image has it in a folder by itself, which comes first on the path."""

from beam_pipelines.template import main

if __name__ == "__main__":
    main()
