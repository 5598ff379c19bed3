"""The product's own processes, of which one applies the kind's migration and one has its provider."""

from pathlib import Path

from sorami.local.services import SERVICES, Commands, Service

MIGRATION = Path(__file__).with_name("sounds.sql")


def migrate(arguments: list[str]) -> int:
    """Migrate with one file more, and with its tables beside the others' in the grants."""
    from services.persistence import migrate as command
    from services.persistence.migrations import files, runner

    def with_sounds() -> list[files.SqlFile]:
        known = files.numbered_files()
        return [*known, files.SqlFile(f"{len(known) + 1:04d}_pre_sounds.sql", "pre", MIGRATION.read_text("utf-8"))]

    def roles_with_sounds() -> files.SqlFile:
        known = files.roles_file()
        sql = known.sql
        for table in ("generations", "files"):
            sql = sql.replace(f"video_{table}", f"video_{table}, sound_{table}")
        return files.SqlFile(known.name, known.phase, sql)

    vars(runner).update(numbered_files=with_sounds, roles_file=roles_with_sounds)
    return command.main(arguments)


def generator() -> int:
    """Run the generator with one provider more."""
    from services.generator.__main__ import main
    from services.generator.providers.local import LOCAL
    from tests.support.third_kind.provider import HumProvider

    LOCAL.append(lambda _: HumProvider())
    return main()


HERE = "tests.support.third_kind.processes"
COMMANDS = Commands(migrate=f"{HERE}:migrate")


def services() -> list[Service]:
    """Return the four services, the generator with its further provider."""
    return [
        Service(one.name, f"{HERE}:generator", one.port_setting, one.host_setting, one.stage, needs_objects=True)
        if one.name == "generator"
        else one
        for one in SERVICES
    ]
