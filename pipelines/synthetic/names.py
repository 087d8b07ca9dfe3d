"""Surnames and given names of common knowledge, composed in long tails, drawn with realistic frequencies.

No list of real persons is used: heads are the frequent names anyone knows, tails are composed from roots and
endings. Frequencies follow a Zipf-Mandelbrot law, which is what INSEE's files of names show.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.str_]

ORIGINS = ("francaise", "occitane", "espagnole", "italienne", "portugaise", "maghrebine", "autre")
BORN_IN_FRANCE_SHARES = (0.42, 0.36, 0.10, 0.05, 0.03, 0.03, 0.01)
"""Shares of the surnames' origins among people born in France, for a territory of the Comminges (assumed)."""

ORIGIN_OF_COUNTRY = {
    "99134": "espagnole",
    "99127": "italienne",
    "99139": "portugaise",
    "99350": "maghrebine",
    "99351": "maghrebine",
    "99352": "maghrebine",
}
"""COG codes of countries: Spain, Italy, Portugal, Morocco, Tunisia, Algeria; any other is « autre »."""

NON_LATIN_ORIGINS = ("maghrebine", "autre")

_HEADS = {
    "francaise": """Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel
        Lefèvre Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau
        Vincent Muller Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand
        Gauthier Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier Masson Marchand Duval
        Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas
        Brunet Gaillard Barbier Arnaud Martinet Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron
        Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît
        Rey Leclerc Payet Rolland Leclercq Guillaume Lecomte Le~Gall Le~Goff Le~Roux De~la~Croix
        D'Arnaud Saint-Martin Du~Pont Des~Champs Saint-Jean""",
    "occitane": """Fourcade Barthe Castex Dasque Abadie Cazaux Laffont Dedieu Fauré Sarrat Dupuy Castet
        Lacaze Soulé Peyre Comminges Ducos Saint-Martin Lafforgue Barrère Cazeneuve Sens Fontan Bordes
        Vignaux Rouède Estrade Pujol Cabanac Lasserre Artigue Ribet Ousset Dangla Adoue Ferran Escoubas
        Gaston Laporte Verdier Marsan Duclos Seube Sarraute Encausse Galy Rumeau Bon Souque Delmas
        Lagarde Anglade Puységur Brousse Casteran Tajan Bégué Saint-Blancat Darolles Lamarque Dupré
        Saint-Gès Cassagne Mas Salles Carrère D'Encausse De~Lassus De~Castelbajac La~Fontan Du~Bosc""",
    "espagnole": """Garcia Martinez Lopez Sanchez Rodriguez Fernandez Perez Gonzalez Gomez Ruiz
        Hernandez Jimenez Moreno Muñoz Alvarez Romero Navarro Torres Gil Serrano Molina Ortega Delgado
        Castro Ortiz Rubio Marin Sanz Nuñez Medina Iglesias Castillo Cortes Garrido Guerrero Lozano Cano
        Prieto Calvo Vidal Campos Vega Fuentes Carrasco Peña Aznar Puig Ferrer Vila Roca Solé Sala Pons""",
    "italienne": """Rossi Ferrari Russo Bianchi Romano Gallo Costa Fontana Conti Ricci Bruno Moretti
        Marino Greco Barbieri Lombardi Giordano Colombo Mancini Rizzo Longo Leone Martinelli Marchetti
        Vitali Bortoluzzi Zanin Dalla~Costa De~Luca Di~Marco Pellegrini Zanetti Battistella Furlan
        Visentin Carrer Dal~Pont""",
    "portugaise": """Da~Silva Ferreira Pereira Dos~Santos Rodrigues Fernandes Gonçalves Gomes Martins
        Lopes Alves Marques Ribeiro Da~Costa Carvalho Teixeira Soares Moreira De~Oliveira De~Sousa Pinto
        Vieira Antunes Correia Mendes Nunes Cardoso Rocha Dias Neves Monteiro Cunha Barbosa Simões
        Tavares Coelho""",
    "maghrebine": """Benali Haddad Saidi Bouzid Cherif Mansouri Belkacem Amrani Benamar Bouaziz Hamidi
        Slimani Kaci Meziane Rahmani Toumi Zerrouki Benhamou Brahimi Chaoui Djebbar Fares Guerfi Hadji
        Idrissi Jaziri Khelifi Laroussi Mebarki Naceri Ouali Rezgui Sahli Tazi Yahiaoui Ziani El~Amrani
        El~Idrissi Ben~Amor Ait~Ali Bouchareb Boukhari Boudjema Benkhaled Bensalem Benyahia Abdelaoui
        Abdelkader""",
    "autre": """Smith Jones Taylor Brown Wilson Evans Walker Wood Clarke Popescu Ionescu Marin Stan
        Nowak Kowalski Wisniewski Yilmaz Kaya Demir Celik Diallo Traoré Diop Ndiaye Keita Camara Touré
        Koné Nguyen Tran Pham Van~den~Berg De~Vries Jansen Peeters Janssens Schmidt Weber Wagner Petrov
        Ivanova Hoxha Gashi Krasniqi Mbemba Nsimba Rakoto Randria Hakobyan Grigoryan Sarkissian""",
}

_FRENCH_ROOTS = """Bert Guill Per Rich Rob Germ Col Mich Jacqu Bern Garn Ren Gaud Thib Mart Laur Bouch
    Ch Fleur Gros Charp Mar Pell Vann Tess Bourd Cord Barb Chap Fav Hub Jouv Lamb Mass Pas Quer Rav Sav
    Tourn Vall Verd Rond"""
_FRENCH_ENDINGS = """in et ot eau ard on ier elle aud ault inet elot eron illon andier ereau igny enet
    ellier onneau ichard ourt emain eville"""
_OCCITAN_STARTS = ["", "", "", "La", "Las", "Du", "Cap", "Mont", "Pey", "Cast", "Bor", "Des", "Es", "Sal"]
_OCCITAN_ROOTS = """cas barth fitt cost serr font garrig cassagn bosc prad carr sarr dupr vign arrou
    lann com bern bordel tuc puj soul gar abad espar mour carb teul rib"""
_OCCITAN_ENDINGS = """ère ou ouse et ol ac ens eigne an at ade ets olle un es ède"""
_LATIN_ROOTS = """Alm Bar Camp Carv Cast Dom Esp Fern Figu Gall Mal Mend Mont Nav Oliv Pal Per Quint Ram
    Riv Sal Sev Tav Torr Val Vill Zam"""
_SPANISH_ENDINGS = "ez ero ales anza illo ares uela eda ado era eras ibia"
_PORTUGUESE_ENDINGS = "eira inho edo ais oso ães eiro elas ota ada"
_ITALIAN_ENDINGS = "elli etti ini oni ato ese ucci acci oli ardi ieri esan"
_ARABIC_STARTS = [
    "Ben",
    "Bou",
    "Bel",
    "Ould",
    "Abdel",
    "Ait ",
    "El ",
    "Ham",
    "Mes",
    "Khel",
    "Sa",
    "Zer",
    "Cha",
]
_ARABIC_ENDINGS = """aoui amar aïd oudi khir zid rabah slim nour mansour djilali hadj mokhtar salah
    yazid ziz adi kacem tahar"""
_OTHER_STARTS = [
    "Bar",
    "Dem",
    "Gor",
    "Kal",
    "Mar",
    "Nik",
    "Osm",
    "Pet",
    "Rad",
    "Sul",
    "Tan",
    "Vlad",
    "Yav",
    "Zor",
]
_OTHER_ENDINGS = "escu ov ova ski ak oglu yan idze son sen er mann aye amba ou anu"

_MEN = {
    1900: """Jean Pierre Louis Joseph Henri Marcel René Georges Roger André Robert Raymond Lucien
        Maurice Albert Paul Émile François Eugène Antoine Jean-Marie Gaston Fernand Léon Ernest Firmin
        Bertrand Élie""",
    1930: """Jean Michel Pierre André Claude Jacques Roger Bernard Gérard Robert René Guy Raymond Henri
        Daniel Marcel Jean-Claude Jean-Pierre Maurice Georges Louis Serge Francis Yves Christian
        Jean-Marie Lucien Gilbert Paul Joseph Alain François Élie Aimé""",
    1950: """Jean-Pierre Michel Alain Christian Patrick Bernard Philippe Gérard Daniel Jean-Claude
        Jacques Jean Dominique Pierre Pascal Serge Didier Jean-Luc Francis Yves Claude Jean-Marc
        Jean-Paul Jean-Louis Thierry Bruno Éric Gilles Marc Denis Joël Guy Roland Robert Jean-François
        Jean-Michel""",
    1970: """Christophe Stéphane Laurent Frédéric Sébastien David Olivier Philippe Éric Nicolas Pascal
        Thierry Jérôme Bruno Alexandre Julien Vincent Franck Guillaume Cédric Fabrice Ludovic Arnaud
        Benoît Yannick Patrice Cyril Mickaël Jean-Christophe Xavier Emmanuel Régis Rodolphe""",
    1985: """Nicolas Julien Thomas Kevin Alexandre Anthony Maxime Romain Guillaume Jérémy Florian
        Quentin Clément Benjamin Mathieu Adrien Valentin Antoine Damien Jonathan Vincent Alexis Rémi
        Loïc Baptiste Simon Fabien Dylan Jordan Mickaël Pierre Gaëtan""",
    2000: """Lucas Enzo Théo Hugo Nathan Mathis Thomas Louis Clément Léo Maxime Alexandre Antoine Tom
        Noah Jules Gabriel Raphaël Ethan Baptiste Arthur Paul Axel Matteo Yanis Valentin Romain Bastien
        Timéo Evan""",
    2010: """Gabriel Léo Raphaël Louis Arthur Jules Adam Lucas Maël Hugo Noah Liam Ethan Paul Nathan
        Sacha Tom Nolan Aaron Gabin Isaac Eden Marius Malo Timéo Mathéo Naël Robin Lenny Côme""",
}
_WOMEN = {
    1900: """Marie Jeanne Louise Marguerite Germaine Yvonne Madeleine Marcelle Suzanne Marthe Simone
        Denise Andrée Paulette Lucienne Renée Juliette Berthe Rose Anna Joséphine Henriette Raymonde
        Odette Antoinette""",
    1930: """Jeannine Monique Jacqueline Denise Marie Yvette Simone Paulette Micheline Josette Nicole
        Ginette Claudine Odette Colette Pierrette Huguette Christiane Andrée Jeanne Suzanne Françoise
        Arlette Marie-Thérèse Raymonde Georgette Lucienne Henriette Rolande Marie-Louise""",
    1950: """Monique Françoise Martine Nicole Christine Catherine Chantal Danielle Sylvie Michèle Annie
        Brigitte Marie-Christine Jacqueline Dominique Évelyne Patricia Véronique Josiane Marie-Claude
        Nadine Éliane Maryse Bernadette Ghislaine Claudine Marie-Françoise Marie-Hélène Anne-Marie
        Corinne""",
    1970: """Nathalie Isabelle Sandrine Valérie Stéphanie Sophie Véronique Céline Karine Laurence
        Christelle Delphine Virginie Séverine Carole Corinne Sylvie Florence Cécile Aurélie Anne Magali
        Béatrice Agnès Laetitia Audrey Émilie Élodie Hélène Marie-Laure Anne-Sophie""",
    1985: """Aurélie Émilie Laura Julie Élodie Marion Pauline Mélanie Marine Camille Audrey Anaïs Sarah
        Céline Charlotte Jennifer Mathilde Lucie Amandine Justine Manon Fanny Morgane Cindy Claire Marie
        Alexandra Virginie Ophélie Coralie""",
    2000: """Léa Manon Emma Chloé Camille Océane Sarah Clara Inès Marie Laura Julie Mathilde Lucie Anaïs
        Pauline Jade Lisa Eva Louise Romane Juliette Zoé Lola Margaux Maëlys Lilou Noémie Élisa Clémence""",
    2010: """Emma Jade Louise Alice Chloé Lina Léa Manon Rose Anna Inès Camille Lola Ambre Zoé Juliette
        Julia Mila Lou Sarah Agathe Romy Iris Mia Éva Charlie Victoire Romane Inaya Alba""",
}
_MEN_ELSEWHERE = {
    "espagnole": """José Manuel Antonio Francisco Juan Jesús Miguel Ángel Pedro Luis Carlos Javier Ramón
        Rafael Joaquín""",
    "italienne": """Giuseppe Giovanni Antonio Mario Luigi Angelo Bruno Franco Pietro Marco Aldo Gino
        Silvio Dino""",
    "portugaise": """José António Manuel João Carlos Luís Paulo Fernando Joaquim Rui Tiago Nuno Vítor
        Armando Alberto""",
    "maghrebine": """Mohamed Ahmed Ali Youssef Karim Rachid Said Abdelkader Mustapha Hassan Omar Brahim
        Farid Nabil Khaled Samir Mehdi Amine Bilal Hamza Ismaël Ibrahim Abdallah Mourad Larbi""",
    "autre": """John David Michael Peter Ion Andrei Mihai Piotr Marek Mehmet Ali Mamadou Ousmane Moussa
        Ibrahima Minh Jan Hans Pieter Dimitri Sergueï Arben Armen Jean-Bosco Emmanuel""",
}
_WOMEN_ELSEWHERE = {
    "espagnole": """María Carmen Josefa Isabel Dolores Pilar Teresa Ana Francisca Antonia Rosario Luisa
        Mercedes Concepción""",
    "italienne": """Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Carla Paola Elena Antonietta
        Silvana""",
    "portugaise": """Maria Ana Rosa Fernanda Isabel Teresa Manuela Lurdes Fátima Conceição Sandra Paula
        Helena Graça""",
    "maghrebine": """Fatima Khadija Aïcha Zohra Malika Nadia Samira Karima Rachida Naïma Leïla Yasmina
        Amina Sabrina Nora Houria Djamila Zineb Hafida Salima Imane Sara Inès Nour""",
    "autre": """Mary Susan Elena Maria Ioana Anna Katarzyna Ayse Fatma Aminata Fatoumata Mariam Awa
        Thi-Lan Linh Ingrid Johanna Olga Natalia Irina Mirjeta Anahit Blessing Grace""",
}

TRANSLITERATIONS = {
    "Mohamed": ("Mohammed", "Muhammad", "Mohamad"),
    "Youssef": ("Youcef", "Yousef", "Yusuf"),
    "Fatima": ("Fatma", "Fathma"),
    "Aïcha": ("Aicha", "Aïsha"),
    "Said": ("Saïd", "Sayed"),
    "Abdelkader": ("Abd El Kader", "Abdel Kader"),
    "Mustapha": ("Mustafa", "Mostefa"),
    "Khadija": ("Khadidja", "Kadija"),
    "Zohra": ("Zahra", "Zora"),
    "Brahim": ("Ibrahim", "Braïm"),
    "Leïla": ("Leila", "Layla"),
    "Benali": ("Ben Ali", "Benaly"),
    "Benamar": ("Ben Amar", "Benammar"),
    "Bensalem": ("Ben Salem", "Bensalim"),
    "Benkhaled": ("Ben Khaled", "Benkaled"),
    "Cherif": ("Chérif", "Sherif"),
    "Haddad": ("Hadad",),
    "Bouzid": ("Bouzide", "Bou Zid"),
    "El Amrani": ("Elamrani", "Al Amrani"),
    "El Idrissi": ("Elidrissi", "Al Idrissi"),
    "Yahiaoui": ("Yahyaoui", "Yahiawi"),
    "Traoré": ("Traore",),
    "Diallo": ("Dialo", "Jallow"),
    "Gonçalves": ("Goncalvez", "Gonsalves"),
    "Fernandes": ("Fernandez",),
    "Rodrigues": ("Rodriguez",),
    "Martins": ("Martin",),
    "Lopes": ("Lopez",),
    "Fernandez": ("Hernandez", "Fernandes"),
    "José": ("Joseph",),
    "João": ("Joao", "Jean"),
    "Juan": ("Jean",),
}
"""Other spellings met for one name, between scripts and between languages."""


@dataclass(frozen=True)
class Pool:
    """Names with their probabilities."""

    names: Texts
    probabilities: npt.NDArray[np.float64]

    def draw(self, rng: np.random.Generator, size: int) -> Texts:
        """``size`` independent names."""
        return rng.choice(self.names, size=size, p=self.probabilities)


@cache
def surnames(origin: str) -> Pool:
    """The surnames of an origin: a head everyone knows, then a long composed tail."""
    head = words(_HEADS[origin])
    tail = _tail(origin)
    head_share = {"francaise": 0.35, "occitane": 0.30}.get(origin, 0.6)
    weights = np.concatenate(
        [head_share * _zipf(len(head), 0.75), (1 - head_share) * _zipf(len(tail), 0.55)],
    )
    return Pool(np.array([*head, *tail]), weights / weights.sum())


@cache
def given_names(origin: str, sexe: int, naissance_annee: int) -> Pool:
    """Given names of a sex (1, 2): by era for the French-born cultures, by language elsewhere."""
    elsewhere = _MEN_ELSEWHERE if sexe == 1 else _WOMEN_ELSEWHERE
    if origin in elsewhere:
        names = words(elsewhere[origin])
    else:
        names = words((_MEN if sexe == 1 else _WOMEN)[int(eras(np.array([naissance_annee]))[0])])
    return Pool(np.array(names), _zipf(len(names), 0.8))


def eras(naissance_annees: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """First year of the era of given names each birth year belongs to."""
    starts = np.array(list(_MEN))
    at = np.searchsorted(starts, np.maximum(naissance_annees, starts[0]), side="right") - 1
    return np.asarray(starts[at], dtype=np.int64)


def words(text: str) -> list[str]:
    """Names written one after the other, « ~ » standing for a space inside a name."""
    return [word.replace("~", " ") for word in text.split()]


def _zipf(size: int, exponent: float) -> npt.NDArray[np.float64]:
    weights = (np.arange(size) + 3.0) ** -exponent
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _tail(origin: str) -> list[str]:
    composed = {
        "francaise": (_FRENCH_ROOTS.split(), _FRENCH_ENDINGS.split()),
        "occitane": (_occitan_stems(), _OCCITAN_ENDINGS.split()),
        "espagnole": (_LATIN_ROOTS.split(), _SPANISH_ENDINGS.split()),
        "italienne": (_LATIN_ROOTS.split(), _ITALIAN_ENDINGS.split()),
        "portugaise": (_LATIN_ROOTS.split(), _PORTUGUESE_ENDINGS.split()),
        "maghrebine": (_ARABIC_STARTS, _ARABIC_ENDINGS.split()),
        "autre": (_OTHER_STARTS, _OTHER_ENDINGS.split()),
    }
    starts, endings = composed[origin]
    return _shuffled([start + ending for start, ending in itertools.product(starts, endings)])


def _occitan_stems() -> list[str]:
    return [
        (start + root).capitalize()
        for start, root in itertools.product(_OCCITAN_STARTS, _OCCITAN_ROOTS.split())
    ]


def _shuffled(names: Sequence[str]) -> list[str]:
    """A fixed shuffle: which composed name is frequent must not follow the alphabet."""
    unique = list(dict.fromkeys(names))
    order = np.random.default_rng(31483).permutation(len(unique))
    return [unique[i] for i in order]
