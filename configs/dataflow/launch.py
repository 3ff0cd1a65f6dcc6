"""What the launcher of a Flex Template runs: a file by itself, since its folder comes first on Python's path."""

from beam_pipelines.template import main

if __name__ == "__main__":
    main()
