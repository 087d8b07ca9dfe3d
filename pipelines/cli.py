"""One command, nonrecours: French verbs, French messages. A verb imports its stage when it runs."""

import atexit
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from pipelines import roles
from pipelines.calendar import period_code
from pipelines.refusals import ContractRefusal, Refusal, SettingsRefusal
from pipelines.settings import SETTINGS_FILE, Settings, load

if TYPE_CHECKING:
    import polars as pl

    from pipelines.source.verify import TableVerification
    from pipelines.warehouse import Warehouse

app = typer.Typer(
    name="nonrecours",
    help="Mesurer le non-recours au RSA et à la prime d'activité, et rappeler ceux qui l'ont accepté.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cle = typer.Typer(help="La clé de pseudonymisation (garant).", no_args_is_help=True)
coffre = typer.Typer(help="Le coffre des personnes consentantes (cellule).", no_args_is_help=True)
destinataire = typer.Typer(help="Les destinataires de listes.", no_args_is_help=True)
journal = typer.Typer(help="Le journal des remises (cellule).", no_args_is_help=True)
echantillon = typer.Typer(
    help="L'échantillon de vérification : tirer, lire, précision.", no_args_is_help=True
)
app.add_typer(cle, name="cle")
app.add_typer(coffre, name="coffre")
app.add_typer(destinataire, name="destinataire")
app.add_typer(journal, name="journal")
app.add_typer(echantillon, name="echantillon")

console = Console(highlight=False)

Reglages = Annotated[
    Path, typer.Option("--reglages", help="Fichier de réglages.", envvar="NONRECOURS_REGLAGES")
]
Mois = Annotated[str, typer.Option("--mois", help="Mois, écrit AAAA-MM.")]
Partenaire = Annotated[str, typer.Option("--partenaire", help="caf, cpam, departement, cellule ou msa.")]
Processus = Annotated[
    int | None,
    typer.Option("--processus", min=1, help="Processus ; vide : un par cœur, quatre au plus."),
]


def main() -> None:
    """The command ``nonrecours``: run it, and leave with its exit code."""
    ending = _Ending()
    atexit.register(ending.leave)
    ending.code = run(sys.argv[1:])


class _Ending:
    """Leaves the process once everything registered to end after this has ended, Prefect's server included.

    The interpreter is not torn down: after a flow, DuckDB 2.0 (nanobind) would print every object then
    still alive as a leak. Their memory goes with the process.
    """

    code = 70

    def leave(self) -> None:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):
                stream.flush()
        os._exit(self.code)


def run(arguments: list[str]) -> int:
    """Run one command line; return its exit code. A refusal is three French lines, never a traceback."""
    try:
        app(arguments, standalone_mode=False)
    except TyperException as mistake:
        return _told(_usage(mistake), SettingsRefusal.code)
    except (KeyboardInterrupt, typer.Abort):
        return _told("Interrompu : rien n'a été écrit à moitié.", 130)
    except Refusal as refusal:
        return _told(str(refusal), refusal.code)
    except Exception as error:
        return _told(_fault(error), 70)
    return 0


def _told(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return code


def _verified(table: "TableVerification") -> str:
    if table.refus is not None:
        return f"{table.table} : refusé. {table.refus}"
    rules = ", ".join(f"{rule} {lines}" for rule, lines in table.ecartees.items())
    aside = sum(table.ecartees.values())
    counts = f"{table.recues} lignes reçues = {table.acceptees} acceptées + {aside} écartées"
    return f"{table.table} : {counts}" + (f" ({rules})" if rules else "")


def _usage(mistake: TyperException) -> str:
    """A command line that cannot be read, said in French."""
    kind = type(mistake).__name__
    parameter = getattr(getattr(mistake, "param", None), "opts", ["?"])[-1]
    said = {
        "NoArgsIsHelpError": "Il manque une commande.",
        "MissingParameter": f"Il manque {parameter}.",
        "BadParameter": f"La valeur de {parameter} n'est pas du type attendu.",
        "NoSuchOption": f"L'option {getattr(mistake, 'option_name', '')} n'existe pas.",
    }.get(kind, "Cette commande n'existe pas, ou a un argument de trop.")
    close = getattr(mistake, "possibilities", None)
    hint = f"Peut-être {', '.join(close)} ? " if close else ""
    return f"{said}\n  Que faire : {hint}Voir « nonrecours --help », ou --help après le verbe."


def _fault(error: Exception) -> str:
    """A fault of the program, without the message of the exception: it may hold row values."""
    if type(error).__name__ == "StageFailure":
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    return f"Erreur du programme : {type(error).__name__} ({place}). Merci de la signaler telle quelle."


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    console.print(f"{what} : {time.monotonic() - started:.1f} s", style="dim")


def _print_counts(title: str, counts: Mapping[str, Any]) -> None:
    """Counts, one a line; those of several tables (dotted names, or a mapping by table) as one grid."""
    grid = {name: value for name, value in _by_table(counts).items() if len(value) > 1}
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in counts.items():
        if not _is_grid(value) and name.rpartition(".")[0] not in grid:
            table.add_row(name.replace("_", " ").replace(".", " "), _shown(value))
    console.print(table)
    if grid:
        _print_grid(grid)


def _by_table(counts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for name, value in counts.items():
        place, _, measure = name.rpartition(".")
        if place:
            rows.setdefault(place, {})[measure] = value
        elif _is_grid(value):
            rows |= value
    return rows


def _is_grid(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values())


def _print_grid(rows: Mapping[str, Mapping[str, Any]]) -> None:
    measures = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table()
    for heading in ("table", *measures):
        table.add_column(heading.replace("_", " "), justify="left" if heading == "table" else "right")
    for name, row in rows.items():
        table.add_row(name, *(_shown(row.get(measure, "")) for measure in measures))
    console.print(table)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")
    return str(value)


def _in_points(rates: "pl.DataFrame") -> "pl.DataFrame":
    """The verdict on the rates, narrow enough for a terminal: points, one decimal."""
    names = {"taux_vrai": "vrai", "taux_observe": "observé", "taux_naif": "naïf", "taux_corrige": "corrigé"}
    bounds = {"taux_bas": "bas", "taux_haut": "haut"}
    points = rates.with_columns((100 * rates[name]).round(1) for name in (names | bounds))
    return points.select("droit", *(names | bounds), couvert="est_couvert").rename(names | bounds)


def _print_frame(title: str, frame: "pl.DataFrame") -> None:
    table = Table(title=title, title_justify="left")
    for name in frame.columns:
        table.add_column(name.replace("_", " "))
    for row in frame.iter_rows():
        table.add_row(*(_shown(value) for value in row))
    console.print(table)


def _settings(reglages: Path, role: roles.Role) -> Settings:
    settings = load(reglages)
    if settings.demonstration:
        console.print(roles.DEMONSTRATION, style="yellow")
    roles.require(role, settings)
    return settings


@app.command()
def initialiser(
    dossier: Annotated[Path, typer.Argument(help="Dossier du projet, créé s'il manque.")] = Path(),
    demo: Annotated[bool, typer.Option("--demo", help="Données inventées : rôles confondus.")] = False,
) -> None:
    """Écrire les réglages commentés (nonrecours.toml) et les dossiers du projet."""
    from pipelines.files import whole_file
    from pipelines.settings import anchored, as_toml

    path = dossier / SETTINGS_FILE
    if path.exists():
        raise SettingsRefusal(
            "Les réglages existent déjà.",
            ou=path.name,
            que_faire="Les modifier, ou choisir un autre dossier.",
        )
    settings = Settings(demonstration=demo)
    with whole_file(path) as partial:
        partial.write_text(as_toml(settings), encoding="utf-8")
    folders = anchored(settings, dossier.resolve()).dossiers
    for folder in (folders.depot, folders.rejets, folders.sorties, folders.passage):
        folder.mkdir(parents=True, exist_ok=True)
    console.print(f"Réglages écrits : {path}. Les relire, puis « nonrecours cle creer ».")


@cle.command("creer")
def cle_creer(
    parts: Annotated[
        int | None,
        typer.Option(
            "--parts", help="Tirer sa part d'une clé de N parts ; vide : la clé seule, pour un essai."
        ),
    ] = None,
    ceremonie: Annotated[
        str | None, typer.Option("--ceremonie", help="Code affiché chez le premier partenaire.")
    ] = None,
    sortie: Annotated[
        Path | None, typer.Option("--sortie", help="Fichier de la clé ou de la part, 0600.")
    ] = None,
) -> None:
    """Tirer sa part de la clé du projet (--parts 3, chez chaque partenaire), ou une clé d'essai entière."""
    from pipelines.source.keys import create_key, read_aloud

    if parts is None and ceremonie is None:
        path = sortie or Path("secrets/garant/projet.cle")
        console.print(f"Clé écrite : {path}. Empreinte à lire de vive voix : {read_aloud(create_key(path))}")
    else:
        _draw_part(parts or 0, ceremonie, sortie)


def _draw_part(parts: int, ceremonie: str | None, sortie: Path | None) -> None:
    from pipelines.source.ceremony import draw_part, write_part
    from pipelines.source.keys import read_aloud

    part = draw_part(parts, ceremonie)
    path = sortie or Path(f"part-{part.engagement[:8]}.cle")
    write_part(part, path)
    code = read_aloud(part.ceremonie)
    console.print(f"Part écrite : {path}, une des {parts} de la cérémonie {code}. Seule, elle ne dit rien.")
    console.print(f"Engagement à lire de vive voix, au procès-verbal : {read_aloud(part.engagement)}")
    console.print(
        f"Chaque autre partenaire, sur sa machine : nonrecours cle creer --parts {parts} --ceremonie {code}\n"
        f"Quand les {parts} engagements sont lus : nonrecours cle assembler PART PART … --sortie projet.cle",
        soft_wrap=True,
    )


@cle.command("assembler")
def cle_assembler(
    parts: Annotated[list[Path], typer.Argument(help="Les fichiers de toutes les parts.")],
    sortie: Annotated[Path, typer.Option("--sortie", help="Fichier de la clé, 0600.")] = Path(
        "secrets/garant/projet.cle"
    ),
    engagement: Annotated[
        list[str] | None,
        typer.Option("--engagement", help="Un engagement du procès-verbal ; une fois par part."),
    ] = None,
) -> None:
    """Réunir les parts de la cérémonie et écrire la clé du projet, à remettre en main propre."""
    from pipelines.source.ceremony import assemble, read_part
    from pipelines.source.keys import read_aloud

    digits = assemble(parts, sortie, engagement or ())
    if not engagement:
        for path in parts:
            console.print(f"{path} : engagement {read_aloud(read_part(path).engagement)}")
        console.print("Comparer ces engagements au procès-verbal avant d'employer la clé.")
    console.print(f"Clé écrite : {sortie}. Empreinte à lire de vive voix : {read_aloud(digits)}")


@cle.command("partager")
def cle_partager(
    fichier: Annotated[Path, typer.Option("--cle", help="Fichier de la clé.")],
    dossier: Annotated[Path, typer.Option("--dossier", help="Dossier où écrire les parts, 0600.")],
    parts: Annotated[int, typer.Option("--parts", help="Nombre de parts.")] = 3,
) -> None:
    """Refaire les parts d'une clé quand l'une est perdue ; détruire les anciennes, qui la refont encore."""
    from pipelines.source.ceremony import share, write_part
    from pipelines.source.keys import read_aloud, read_key

    for part in share(read_key(fichier), parts):
        path = dossier / f"part-{part.engagement[:8]}.cle"
        write_part(part, path)
        console.print(f"{path} : engagement {read_aloud(part.engagement)}")


@cle.command("empreinte")
def cle_empreinte(fichier: Annotated[Path, typer.Option("--cle", help="Fichier de la clé.")]) -> None:
    """Afficher l'empreinte d'une clé, pour la comparer de vive voix, au procès-verbal et aux manifestes."""
    from pipelines.source.keys import fingerprint, read_aloud, read_key

    console.print(read_aloud(fingerprint(read_key(fichier))))


@cle.command("recevoir")
def cle_recevoir(
    sortie: Annotated[Path, typer.Option("--sortie", help="Fichier de la clé privée, 0600.")],
) -> None:
    """Chez un destinataire : tirer la clé qui ouvrira ses listes, et afficher sa moitié publique."""
    from pipelines.outreach.vault import create_identity

    console.print(create_identity(sortie, sortie.with_suffix(".pub")))


@coffre.command("creer")
def coffre_creer(reglages: Reglages = SETTINGS_FILE) -> None:
    """Tirer les secrets de la cellule : coffre, journal, signature."""
    from pipelines.outreach.delivery import create_secrets

    settings = load(reglages)
    console.print(f"Clé publique du coffre : {create_secrets(settings)}")


@destinataire.command("ajouter")
def destinataire_ajouter(
    code: Annotated[str, typer.Option("--code", help="Code, tel qu'écrit dans les consentements.")],
    nom: Annotated[str, typer.Option("--nom", help="Nom affiché.")],
    cle_publique: Annotated[Path, typer.Option("--cle-publique", help="Fichier .pub du destinataire.")],
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Déclarer un destinataire et la clé publique qu'il a donnée."""
    from pipelines.settings import add_recipient

    add_recipient(reglages, code, nom, cle_publique.read_text(encoding="ascii").strip())
    console.print(f"Destinataire {code} déclaré.")


@app.command()
def simuler(
    sortie: Annotated[Path, typer.Option("--sortie", help="Dossier à créer.")],
    mois_debut: Annotated[str, typer.Option("--mois-debut", help="Premier mois livré.")],
    mois_fin: Annotated[str, typer.Option("--mois-fin", help="Dernier mois livré.")],
    territoire: Annotated[str, typer.Option("--territoire", help="Référence du territoire.")] = "comminges",
    graine: Annotated[int, typer.Option("--graine", help="Même graine, mêmes octets.")] = 1,
    habitants: Annotated[int | None, typer.Option("--habitants", help="Taille ; vide : la vraie.")] = None,
) -> None:
    """Inventer un territoire entier : les extraits nominatifs de chaque partenaire, et la vérité à part."""
    from pipelines.synthetic import simulate_territory

    with _timed("Territoire inventé"):
        counts = simulate_territory(territoire, graine, sortie, mois_debut, mois_fin, habitants)
    _print_counts("Lignes écrites", counts)


@app.command()
def verifier(
    dossier: Annotated[Path, typer.Argument(help="Dossier de l'extrait nominatif.")],
    partenaire: Partenaire,
    mois: Mois,
    classeur: Annotated[Path | None, typer.Option("--classeur", help="XLSX de vos propres erreurs.")] = None,
    processus: Processus = None,
) -> None:
    """Chez un partenaire : vérifier un extrait avant de l'envoyer, sans rien écrire d'autre."""
    from pipelines.source import verify, write_workbook
    from pipelines.source.bars import bars

    with bars() as progress:
        verification = verify(dossier, partenaire, mois, processus=processus, progress=progress)
    for table in verification.tables:
        console.print(_verified(table))
    if classeur is not None:
        write_workbook(verification, classeur)
        console.print(f"Classeur écrit : {classeur}")
    if not verification.est_livrable:
        raise ContractRefusal(
            "Cet extrait serait refusé.",
            ou=str(dossier),
            que_faire="Corriger les fichiers refusés ci-dessus ; --classeur donne le détail ligne à ligne.",
        )


@app.command()
def pseudonymiser(
    entree: Annotated[Path, typer.Argument(help="Dossier de l'extrait nominatif ; reste chez vous.")],
    depot: Annotated[Path, typer.Argument(help="Dépôt partagé : <partenaire>/<mois>/ y apparaît.")],
    fichier_cle: Annotated[Path, typer.Option("--cle", help="Clé du projet.")],
    partenaire: Partenaire,
    mois: Mois,
    correspondance: Annotated[
        Path | None, typer.Option("--correspondance", help="Où garder la table de retour, chez vous.")
    ] = None,
    millesime: Annotated[
        str | None, typer.Option("--millesime", help="Millésime de la clé ; vide : l'année du mois livré.")
    ] = None,
    dossier_coffre: Annotated[
        Path | None, typer.Option("--coffre", help="Cellule : dossier du coffre chiffré.")
    ] = None,
    coffre_publique: Annotated[
        Path | None, typer.Option("--coffre-publique", help="Cellule : clé publique du coffre.")
    ] = None,
    remplacer: Annotated[bool, typer.Option("--remplacer", help="Remplacer un mois déjà livré.")] = False,
    processus: Processus = None,
    territoire: Annotated[
        str, typer.Option("--territoire", help="Référence des communes, celle du projet : un nom, ou un CSV.")
    ] = "comminges",
) -> None:
    """Chez un partenaire : remplacer les identités par des jetons et déposer l'extrait."""
    from pipelines.source import pseudonymise
    from pipelines.source.bars import bars

    with _timed(f"{partenaire} {mois} pseudonymisé"), bars() as progress:
        counts = pseudonymise(
            entree,
            depot,
            cle=fichier_cle,
            partenaire=partenaire,
            mois=mois,
            millesime=millesime,
            correspondance=correspondance or entree.parent / f"correspondance-{partenaire}-{mois}.parquet",
            coffre=dossier_coffre,
            coffre_publique=coffre_publique,
            remplacer=remplacer,
            processus=processus,
            progress=progress,
            territoire=territoire,
        )
    _print_counts("Extrait déposé", counts)


@app.command()
def executer(
    mois: Mois,
    reglages: Reglages = SETTINGS_FILE,
    depuis: Annotated[
        str | None, typer.Option("--depuis", help="Étape à partir de laquelle tout refaire.")
    ] = None,
) -> None:
    """Ingérer, lier, calculer les droits, estimer et rédiger le rapport d'un mois."""
    settings = _settings(reglages, "analyse")
    _listen_to_stages()
    with _timed("Chaîne"):
        from pipelines.flows import mensuel, warm_up

        Thread(target=warm_up, daemon=True).start()
        counts = mensuel(mois, str(reglages.resolve()), depuis)
    console.print(f"Mémoire : {_peak_gib():.1f} Gio au plus", style="dim")
    for name, stage_counts in counts.items():
        _print_counts(name, stage_counts)
    if all(stage.get("deja_fait") for name, stage in counts.items() if name != "passage"):
        console.print("Rien à faire : ce mois a déjà été traité sur les mêmes extraits.")
    folder = settings.dossiers.sorties / settings.territoire.code / period_code(mois)
    console.print(f"Rapport : {folder / 'rapport.html'}", soft_wrap=True)


@app.command()
def remettre(
    destinataire: Annotated[str, typer.Option("--destinataire", help="Code déclaré dans les réglages.")],
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Cellule : sceller la liste des personnes qui ont accepté d'être rappelées."""
    _settings(reglages, "cellule")
    _listen_to_stages()
    from pipelines.flows import remise

    _print_counts(f"Liste de {destinataire}", remise(destinataire, str(reglages.resolve())))


@app.command()
def ouvrir(
    fichier: Annotated[Path, typer.Argument(help="Fichier .age reçu, son .sig à côté.")],
    fichier_cle: Annotated[Path, typer.Option("--cle", help="Votre clé privée age.")],
    emetteur: Annotated[Path, typer.Option("--emetteur", help="Clé publique de signature de la cellule.")],
    sortie: Annotated[Path, typer.Option("--sortie", help="Dossier du classeur ouvert.")] = Path(),
) -> None:
    """Chez un destinataire : vérifier la signature d'une liste et l'ouvrir."""
    from pipelines.outreach.sealing import unseal
    from pipelines.outreach.vault import read_identity

    console.print(f"Liste ouverte : {unseal(fichier, read_identity(fichier_cle), emetteur, sortie)}")


@app.command()
def retirer(
    consentement: Annotated[str, typer.Argument(help="Identifiant du consentement, lu sur la liste.")],
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Cellule : enregistrer un retrait, effectif aussitôt, et préparer la liste de révocation."""
    from pipelines.outreach.delivery import withdraw

    _print_counts("Retrait", withdraw(_settings(reglages, "cellule"), consentement))


@journal.command("verifier")
def journal_verifier(
    reglages: Reglages = SETTINGS_FILE,
    tete: Annotated[str | None, typer.Option("--tete", help="Tête lue sur un bordereau.")] = None,
) -> None:
    """Vérifier que le journal des remises n'a été ni modifié, ni coupé."""
    from pipelines.outreach.journal import read_key, verify

    settings = _settings(reglages, "cellule")
    found = verify(settings.dossiers.remises, read_key(settings.secrets.cle_journal), tete)
    console.print(f"Journal intact : {found.lignes} lignes, tête {found.tete}")


@echantillon.command("tirer")
def echantillon_tirer(
    n: Annotated[int, typer.Option("--n", min=1, help="Fiches tirées chez chaque partenaire.")] = 600,
    graine: Annotated[
        int | None, typer.Option("--graine", help="Graine du tirage ; vide : celle de l'estimation.")
    ] = None,
    mois: Annotated[str | None, typer.Option("--mois", help="Mois estimé ; vide : le dernier.")] = None,
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Tirer des fiches à vérifier à la CPAM et à la CAF ; un fichier par partenaire, ses numéros seuls."""
    from pipelines import sampling

    settings = _settings(reglages, "analyse")
    with _warehouse(settings) as warehouse, warehouse.transaction():
        counts = sampling.draw(warehouse, settings, mois, n, graine)
    _print_counts("Échantillon tiré", counts)


@echantillon.command("formulaire")
def echantillon_formulaire(
    tirage: Annotated[Path, typer.Argument(help="Fichier reçu : les fiches tirées.")],
    correspondance: Annotated[
        list[Path], typer.Option("--correspondance", help="Table de correspondance ; une fois par table.")
    ],
    sortie: Annotated[Path, typer.Option("--sortie", help="Formulaire à remplir, 0600.")],
) -> None:
    """Chez le partenaire : retrouver ses propres numéros et écrire le formulaire à remplir."""
    from pipelines.source.sample_form import write_form

    _print_counts("Formulaire à remplir", write_form(tirage, correspondance, sortie))


@echantillon.command("rendre")
def echantillon_rendre(
    formulaire: Annotated[Path, typer.Argument(help="Formulaire rempli.")],
    sortie: Annotated[Path, typer.Option("--sortie", help="Fichier à rendre, 0600.")],
) -> None:
    """Chez le partenaire : vérifier le formulaire rempli et écrire ce qui part, sans vos numéros."""
    from pipelines.source.sample_form import give_back

    _print_counts("Réponses à rendre", give_back(formulaire, sortie))


@echantillon.command("lire")
def echantillon_lire(
    fichier: Annotated[Path, typer.Argument(help="Réponses rendues par le partenaire.")],
    partenaire: Annotated[str, typer.Option("--partenaire", help="cpam ou caf.")],
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Lire les réponses d'un partenaire et les garder avec le tirage ; « executer » s'en sert ensuite."""
    from pipelines import sampling

    settings = _settings(reglages, "analyse")
    with _warehouse(settings) as warehouse, warehouse.transaction():
        counts = sampling.read_answers(warehouse, settings, partenaire, fichier)
        rates = sampling.response_rates(warehouse).filter(partenaire=partenaire).drop("partenaire")
    _print_counts(f"Réponses lues ({partenaire})", counts)
    _print_frame("Réponses par strate", rates)
    console.print("Pour qu'elles servent : « nonrecours executer --mois AAAA-MM ».")


@echantillon.command("precision")
def echantillon_precision(mois: Mois, reglages: Reglages = SETTINGS_FILE) -> None:
    """Largeur de l'intervalle aujourd'hui, et avec n réponses de plus à chaque tirage."""
    from pipelines import estimation

    settings = _settings(reglages, "analyse")
    with _warehouse(settings) as warehouse:
        _print_frame(
            "Largeur de l'intervalle à 95 %, en points", estimation.widths(warehouse, settings, mois)
        )


@echantillon.command("repondre")
def echantillon_repondre(
    tirage: Annotated[Path, typer.Argument(help="Dossier d'un tirage : echantillons/AAAA-MM-1.")],
    verite: Annotated[Path, typer.Argument(help="Dossier verite/ d'un territoire inventé.")],
    correspondances: Annotated[Path, typer.Argument(help="Dossier des tables de correspondance.")],
    mois: Mois,
    erreur: Annotated[
        float, typer.Option("--erreur", min=0, max=0.5, help="Part de réponses fausses.")
    ] = 0.0,
    graine: Annotated[int, typer.Option("--graine", help="Graine des non-réponses et des erreurs.")] = 1,
) -> None:
    """Territoire inventé : répondre à un tirage d'après la vérité, comme le feraient CPAM et CAF."""
    from pipelines.synthetic.answering import answer_sample

    for partner, path in answer_sample(tirage, verite, correspondances, mois, graine, erreur).items():
        console.print(f"Réponses {partner} : {path}", soft_wrap=True)


@contextmanager
def _warehouse(settings: Settings) -> Iterator["Warehouse"]:
    from pipelines.warehouse import open_warehouse

    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        yield warehouse


@app.command()
def etat(reglages: Reglages = SETTINGS_FILE) -> None:
    """Ce qui est reçu, fait, en retard, à décider."""
    from pipelines.reporting.status import status_tables

    settings = _settings(reglages, "analyse")
    for title, frame in status_tables(settings).items():
        _print_frame(title, frame)


@app.command()
def dictionnaire(
    sortie: Annotated[Path, typer.Argument(help="Dossier à remplir.")] = Path("docs/dictionnaire"),
) -> None:
    """Écrire le dictionnaire des données et un Table Schema par table livrée."""
    from schemas.dictionary import write_dictionary

    console.print(f"{len(write_dictionary(sortie))} fichiers écrits dans {sortie}")


@app.command()
def confronter(
    verite: Annotated[Path, typer.Argument(help="Dossier verite/ d'un territoire inventé.")],
    correspondances: Annotated[Path, typer.Argument(help="Dossier des tables de correspondance.")],
    mois: Mois,
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Comparer, sur un territoire inventé, ce que la chaîne a trouvé avec la vérité."""
    from pipelines.synthetic.verdict import judge_linkage, judge_rates
    from pipelines.warehouse import open_warehouse

    settings = _settings(reglages, "analyse")
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        for title, frame in (
            ("Appariement", judge_linkage(warehouse, verite, correspondances)),
            ("Ménages non recourants sur 100 éligibles", _in_points(judge_rates(warehouse, verite, mois))),
        ):
            _print_frame(title, frame)


@app.command()
def prouver(
    processus: Processus = None,
    repetitions: Annotated[int, typer.Option("--repetitions", min=2, help="Territoires par monde.")] = 200,
    mondes: Annotated[list[str] | None, typer.Option("--monde", help="Ce monde seulement.")] = None,
    sortie: Annotated[Path | None, typer.Option("--sortie", help="Fichier JSON ; la figure à côté.")] = None,
) -> None:
    """Éprouver l'estimateur dans des mondes inventés dont la vérité est connue ; reprend où il en était."""
    from rich.progress import Progress

    from pipelines import proof

    with Progress(console=console) as progress:
        bar = progress.add_task("Territoires inventés", total=None)
        found = proof.prove(
            processus or min(os.cpu_count() or 1, 4),
            repetitions,
            proof.worlds(mondes),
            sortie or proof.RESULT,
            advance=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    for world in found["mondes"]:
        title = (
            f"{world['nom']} (vrai taux {_shown(world['taux_vrai'])} % ; biais, reqm et largeur en points)"
        )
        _print_frame(title, proof.table(world))
        missed = [name.replace("_", " ") for name, held in world["objectifs"].items() if not held]
        console.print("Objectifs tenus." if not missed else f"Objectifs manqués : {', '.join(missed)}.")


@app.command()
def relire(
    lecteur: Annotated[
        str, typer.Option("--lecteur", help="Nom ou lettre du relecteur, par exemple A.")
    ] = "A",
    taille: Annotated[int, typer.Option("--taille", help="Paires à tirer, la première fois.")] = 200,
    bilan: Annotated[bool, typer.Option("--bilan", help="Le résultat de la relecture, sans relire.")] = False,
    arbitrage: Annotated[
        bool, typer.Option("--arbitrage", help="Ne montrer que les désaccords, pour les trancher.")
    ] = False,
    reglages: Reglages = SETTINGS_FILE,
) -> None:
    """Relire à l'aveugle un échantillon de liens : les accords seulement, ni valeur ni score."""
    from pipelines.linkage import desk
    from pipelines.warehouse import open_warehouse

    settings = _settings(reglages, "analyse")
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        if bilan:
            desk.report(warehouse, console.print)
        else:
            desk.sit(
                warehouse, settings, desk.REFEREE if arbitrage else lecteur, taille, input, console.print
            )


def _peak_gib() -> float:
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss / 1024**2


def _listen_to_stages() -> None:
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    logger = logging.getLogger("nonrecours")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]


if __name__ == "__main__":
    main()
