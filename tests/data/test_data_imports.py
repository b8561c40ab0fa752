"""What `import textrnn.data` costs."""

import subprocess
import sys


def test_no_heavy_library_is_imported() -> None:
    program = (
        "import sys, textrnn.data\n"
        "list(textrnn.data.as_examples(['a'], [1]))\n"
        "heavy = {'torch', 'pandas', 'polars', 'pyarrow', 'sklearn', 'scipy', 'zstandard', 'jaxtyping'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    import textrnn.data

    assert all(hasattr(textrnn.data, name) for name in textrnn.data.__all__)
