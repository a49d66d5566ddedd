"""The command minima: what it prints, and what it does with a mistake."""

import os
import subprocess
import sys

import pytest

from minima import command, registry
from minima.errors import DeviceUnavailableError, MinimaError, ShapeError

GREET = """
from minima.hookspec import hookimpl
MINIMA_API = 1

def add(subparsers):
    parser = subparsers.add_parser("greet", help="say 100 %% hello")
    parser.add_argument("--name", choices=["ada", "grace"], default="ada")
    parser.add_argument("--times", type=int, default=1)
    parser.set_defaults(run=run)

def run(options):
    print("hello", options.name)
    return options.times

@hookimpl
def minima_register_commands(registry):
    registry.add("greet", add)
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    """Give the command a registry of the test's own."""
    own = registry.Registry()
    for method in ["lookup", "names", "statuses", "load_all", "register"]:
        monkeypatch.setattr(registry, method, getattr(own, method))


@pytest.fixture
def minima(capsys):
    """Run the command; return its exit code, stdout and stderr."""

    def run(*words):
        code = command.main(words)
        return code, *capsys.readouterr()

    return run


def install_command(site, name, source, module=None):
    module = module or f"{name}_plugin"
    site.install(f"minima-{name}", f"[minima.commands]\n{name} = {module}\n", **{module: source})


def register(name, run):
    """Register the command *name*, which calls *run*, in this process."""

    def add(subparsers):
        subparsers.add_parser(name).set_defaults(run=run)

    registry.register("command", name, add)


# ---- a mistake is one line and exit code 2 ---------------------------------------------------


@pytest.mark.parametrize(
    ("words", "words_of_error"),
    [
        ("", ["minima: no command given", "devices", "greet", "info", "plugins"]),
        ("gret", ["minima: there is no command 'gret'", "devices", "greet", "info", "plugins"]),
        ("--colour", ["minima: unknown option --colour", "[--version]"]),
        ("--colour info", ["minima: unknown option --colour"]),
        ("plugins --chek", ["minima plugins: unknown option --chek", "[--check]"]),
        ("plugins --che", ["minima plugins: unknown option --che", "[--check]"]),
        ("plugins all", ["minima plugins: unexpected argument all"]),
        ("greet --nam ada", ["minima greet: unknown option --nam", "[--name {ada,grace}]"]),
        ("greet --name bob", ["minima greet: ", "--name", "'bob'", "ada", "grace"]),
        ("greet --times many", ["minima greet: ", "--times", "'many'", "int"]),
        ("greet --name", ["minima greet: ", "--name", "expected one argument"]),
    ],
)
def test_mistake_is_one_line_that_names_the_choices(site, minima, words, words_of_error):
    """Catches argparse's two paragraphs, a traceback, and a line that leaves one guessing."""
    install_command(site, "greet", GREET)
    code, out, err = minima(*words.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for word in words_of_error:
        assert word in err


@pytest.mark.parametrize("error", [MinimaError("two\nlines"), ShapeError("two\nlines")])
def test_error_of_minima_is_one_line(minima, error):
    """Catches a traceback where the message says it all."""

    def run(options):
        raise error

    register("fail", run)
    assert minima("fail") == (2, "", "minima fail: two lines\n")


def test_other_errors_keep_their_traceback(minima):
    """Catches a bug that is hidden from those who could mend it."""

    def run(options):
        raise RuntimeError("a bug")

    register("fail", run)
    with pytest.raises(RuntimeError, match="a bug"):
        minima("fail")


def test_interrupt_is_one_line_and_130(minima):
    """Catches a traceback after Ctrl-C, and an exit code that a shell script takes for success."""

    def run(options):
        raise KeyboardInterrupt

    register("wait", run)
    assert minima("wait") == (130, "", "minima wait: interrupted\n")


def test_command_that_sets_no_function_to_run(minima):
    """Catches an AttributeError about a namespace."""
    registry.register("command", "idle", lambda subparsers: subparsers.add_parser("idle"))
    code, _, err = minima("idle")
    assert (code, err) == (2, "minima idle: says too little; see minima idle --help\n")


# ---- info, devices, plugins ------------------------------------------------------------------


def test_info_lists_versions_and_plugins(site, minima):
    """Catches a report of a bug from which a version is missing."""
    install_command(site, "greet", GREET)
    code, out, err = minima("info")
    assert (code, err) == (0, "")
    rows = [line.split(maxsplit=1) for line in out.splitlines()]
    packages = {"minima-core", "minima-nn", "minima-cuda", "minima-numba"}
    assert {name for name, _ in rows} >= packages | {
        "pluggy",
        "NumPy",
        "BLAS",
        "Python",
        "platform",
    }
    assert ["plugin", "minima-greet 1.0"] in rows


def test_version(minima):
    """Catches a version that needs a sub-command."""
    code, out, _ = minima("--version")
    assert code == 0
    assert out.startswith("minima-core ")


def test_devices_are_available_or_say_why_not(minima):
    """Catches a device that ends the list, or that is absent from it without a reason."""

    def unavailable(index):
        raise DeviceUnavailableError("no gizmo device: the battery is flat")

    def buggy(index):
        raise ZeroDivisionError("a bug")

    registry.register("device", "gizmo", unavailable)
    registry.register("device", "buggy", buggy)
    code, out, err = minima("devices")
    assert (code, err) == (0, "")
    assert "\ncpu " in out
    assert "\ngizmo  no gizmo device: the battery is flat\n" in out
    assert out.startswith("buggy  broken: opening it raises ZeroDivisionError: a bug\n")


def test_devices_names_a_broken_plugin(site, minima):
    """Catches a broken device plugin that hides the devices that work."""
    site.install("bad", "[minima.devices]\nbad = bad_device\n", bad_device="1 / 0")
    code, out, _ = minima("devices")
    assert code == 0
    assert "device 'bad' of bad 1.0 cannot be used: importing bad_device raises" in out
    assert "\ncpu" in out


def test_plugins_lists_without_loading_and_check_loads(site, minima):
    """Catches a list that runs the plugins, and a check that does not."""
    install_command(site, "greet", GREET)
    assert minima("plugins")[0] == 0
    assert "greet_plugin" not in sys.modules
    [line] = [line for line in minima("plugins")[1].splitlines() if "greet" in line]
    assert line.split() == ["minima.commands", "greet", "minima-greet", "1.0", "not", "loaded"]
    code, out, err = minima("plugins", "--check")
    [line] = [line for line in out.splitlines() if "greet" in line]
    assert (code, err) == (0, "")
    assert line.split()[-1] == "loaded"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "importing bad_plugin raises ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "importing bad_plugin calls sys.exit(0)"),
        (GREET.replace('d("greet"', 'd("bad"'), "its add(subparsers) adds 'greet'"),
        (GREET.replace('"greet"', '"bad"').replace("%%", "%"), "or its help, raises"),
        (GREET.replace('"greet"', '"bad"').replace("def add", "def a"), "NameError"),
        (GREET.replace('"greet"', '"bad"').replace("    parser =", "    1 / 0\n    x ="), "Zero"),
    ],
)
def test_check_tells_a_broken_plugin_and_exits_1(site, minima, source, reason):
    """Catches a check that a script cannot rely on, or that is content with the import."""
    install_command(site, "bad", source)
    install_command(site, "greet", GREET)
    code, out, err = minima("plugins", "--check")
    assert (code, err) == (1, "")
    [bad] = [line for line in out.splitlines() if "minima-bad" in line]
    [good] = [line for line in out.splitlines() if "minima-greet" in line]
    assert "broken" in bad
    assert reason in bad
    assert good.endswith("loaded")


def test_check_exits_1_on_a_conflict(site, minima):
    """Catches two packages that are both useless, and a check that is content."""
    install_command(site, "greet", GREET)
    site.install("other", "[minima.commands]\ngreet = other\n")
    assert minima("plugins")[0] == 0, "only --check judges"
    code, out, _ = minima("plugins", "--check")
    assert code == 1
    assert out.count("uninstall all but one") == 2


def test_what_a_plugin_prints_as_it_loads_is_remarked_not_printed(site, minima):
    """Catches output that a script would take for the command's own."""
    install_command(site, "greet", "print('look', 'at me')\n" + GREET)
    _, out, err = minima("plugins", "--check")
    assert "prints as it loads: 'look at me'" in out
    assert out.count("look at me") == 1
    assert err == ""


def test_what_a_plugin_prints_goes_to_stderr_when_its_command_runs(site, minima):
    """Catches the same in the plugin's own command."""
    install_command(site, "greet", "print('look')\n" + GREET)
    assert minima("greet", "--times", "0") == (0, "hello ada\n", "look\n")


def test_plugins_says_when_there_are_none_and_why(minima, monkeypatch):
    """Catches an empty answer."""
    monkeypatch.setenv("MINIMA_PLUGINS", "0")
    assert minima("plugins") == (0, "plugins are switched off by MINIMA_PLUGINS=0\n", "")


# ---- sub-commands of plugins -----------------------------------------------------------------


def test_command_of_a_plugin_runs_and_returns_its_code(site, minima):
    """Catches arguments or an exit code that get lost on the way."""
    install_command(site, "greet", GREET)
    assert minima("greet", "--name", "grace", "--times", "3") == (3, "hello grace\n", "")


def test_only_the_plugin_whose_command_is_called_is_loaded(site, minima):
    """Catches a broken plugin that slows down or breaks every other command."""
    install_command(site, "greet", GREET)
    install_command(site, "bad", "1 / 0")
    minima("info")
    assert "greet_plugin" not in sys.modules
    assert minima("greet", "--times", "0")[0] == 0


def test_help_lists_all_commands_and_a_broken_one_with_its_reason(site, minima, monkeypatch):
    """Catches a broken plugin that breaks the help, or that is missing from it."""
    monkeypatch.setenv("COLUMNS", "200")
    install_command(site, "greet", GREET)
    install_command(site, "bad", "raise ImportError('needs 50 % more %s')")
    code, out, err = minima("--help")
    assert (code, err) == (0, "")
    assert "say 100 % hello" in out
    for name in ["info", "devices", "plugins", "greet", "bad"]:
        assert f"\n    {name} " in out
    text = " ".join(out.split())
    assert "broken: command 'bad' of minima-bad 1.0 cannot be used: importing bad_plugin" in text
    assert "needs 50 % more %s" in text


def test_help_of_one_command(site, minima):
    """Catches help that a broken neighbour takes along."""
    install_command(site, "greet", GREET)
    install_command(site, "bad", "1 / 0")
    code, out, _ = minima("greet", "--help")
    assert code == 0
    assert "--name {ada,grace}" in out


def test_broken_command_that_is_called_says_why(site, minima):
    """Catches a traceback of somebody else's package."""
    install_command(site, "bad", "1 / 0")
    code, out, err = minima("bad")
    assert (code, out) == (2, "")
    assert err.startswith("minima bad: command 'bad' of minima-bad 1.0 cannot be used: ")
    assert err.count("\n") == 1


# ---- as a process ----------------------------------------------------------------------------


def run_process(*words, **more):
    environment = {**os.environ, "MINIMA_PLUGINS": "0", "PYTHONUNBUFFERED": ""}
    line = [sys.executable, "-m", "minima", *words]
    return subprocess.run(line, env=environment, timeout=60, check=False, **more)


def test_python_m_minima():
    """Catches a package without __main__, and an exit code that is not passed on."""
    done = run_process("devices", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cpu  available\n", "")
    done = run_process("plugins", "--chek", capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="closes a POSIX pipe")
def test_a_reader_that_has_enough_is_no_error():
    """Catches a traceback from `minima info | head -0`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run_process("info", stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)
    assert done.stderr == ""
