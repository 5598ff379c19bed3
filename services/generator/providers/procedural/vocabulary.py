"""The words that choose a scene, folded (no accents, lower case), French and English."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Subject:
    """A scene, the words that call it, the moods it may take when none is asked; `free` ones serve unknown prompts."""

    scene: str
    title: str
    words: frozenset[str]
    moods: tuple[str, ...]
    weight: int = 1
    free: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)
    not_colours: frozenset[str] = frozenset()


def _subject(
    scene: str,
    title: str,
    words: str,
    moods: str,
    weight: int = 1,
    *,
    free: bool = False,
    instead: str = "",
    not_colours: str = "",
) -> Subject:
    swaps = dict(pair.split(":") for pair in instead.split())
    return Subject(
        scene,
        title,
        frozenset(words.split()),
        tuple(moods.split()),
        weight,
        free,
        swaps,
        frozenset(not_colours.split()),
    )


# Phrases that mean something else than their words; a mark stands for them.
PHRASES: Final[dict[str, str]] = {
    "lunettes de soleil": "sunglasses",
    "lunette de soleil": "sunglasses",
    "lunettes": "glasses",
    "coucher d[eu] soleil": "sunset",
    "lever d[eu] soleil": "sunrise",
    "clair de lune": "moonlight",
    "aurores? boreales?": "aurora",
    "northern lights": "aurora",
    "still li(?:fe|ves)": "stilllife",
    "natures? mortes?": "stilllife",
}

# The species a word names.
_SPECIES: Final[dict[str, str]] = {
    "cat": "cat chat chatte kitten chaton kitty pet",
    "tiger": "tiger tigre",
    "lion": "lion lionne",
    "dog": "dog chien chienne puppy chiot corgi labrador",
    "fox": "fox renard animal",
    "wolf": "wolf loup husky",
    "rabbit": "rabbit lapin bunny hare lievre",
    "bear": "bear ours ourson teddy",
    "panda": "panda",
    "koala": "koala",
    "mouse": "mouse souris hamster rat",
    "owl": "owl hibou chouette",
    "penguin": "penguin manchot pingouin",
}
ANIMALS: Final[dict[str, str]] = {word: name for name, words in _SPECIES.items() for word in words.split()}

SCENES: Final[tuple[Subject, ...]] = (
    _subject(
        "animals",
        "An animal face to face",
        " ".join(ANIMALS),
        "candy sunset spring dusk",
        4,
    ),
    _subject(
        "mountains",
        "Mountain ranges in mist",
        "mountain montagne alp alpes peak sommet hill colline summit everest valley vallee range",
        "dusk dawn sunset day mist",
        free=True,
    ),
    _subject(
        "sea",
        "The sea towards the sun",
        "sea mer ocean beach plage wave vague coast cote sunset coucher horizon sail voile voilier boat bateau "
        "ship navire island ile lake lac bay baie sun soleil",
        "sunset dusk sunset ocean dawn",
        free=True,
    ),
    _subject(
        "city",
        "A city across the water",
        "city ville skyline building immeuble tower tour gratte skyscraper town urban urbain street rue paris "
        "tokyo york london londres metropolis metropole downtown cyberpunk",
        "night dusk neon night",
        free=True,
    ),
    _subject(
        "night",
        "A starry sky over hills",
        "night nuit star etoile etoilee milky lactee constellation starry moonlight",
        "night night dusk",
        free=True,
        instead="dusk:night",
    ),
    _subject(
        "fern",
        "Ferns on a botanical plate",
        "fern fougere plant plante leaf feuille botanical botanique herb herbe palm palmier foliage feuillage",
        "forest spring forest vintage",
        2,
        free=True,
    ),
    _subject(
        "glass",
        "A stained-glass window",
        "glass verre stained vitrail vitraux cathedral cathedrale church eglise rosace mosaic mosaique kaleidoscope "
        "mandala",
        "dusk ocean sunset candy",
        2,
        free=True,
    ),
    _subject(
        "stone",
        "Polished stone",
        "stone pierre agate marble marbre mineral crystal cristal gem gemme rock roche geode quartz jade opal opale",
        "ocean autumn dusk desert",
        2,
        free=True,
    ),
    _subject(
        "wind",
        "Strokes along the wind",
        "wind vent flow flux stream courant breeze brise air storm tempete music musique motion mouvement dance danse "
        "line ligne",
        "sunset autumn ocean winter",
        free=True,
    ),
    _subject(
        "flowers",
        "A meadow in flower",
        "flower fleur meadow prairie garden jardin rose tulip tulipe daisy marguerite poppy coquelicot sunflower "
        "tournesol lavender lavande bouquet blossom spring printemps bleuet field champ grass herbe",
        "spring dawn day sunset",
        2,
        not_colours="rose lavande lavender",
    ),
    _subject(
        "forest",
        "Light in a forest",
        "forest foret wood woods bois tree arbre jungle trunk tronc sapin pine oak chene autumn automne path sentier",
        "forest mist autumn dawn",
        free=True,
    ),
    _subject(
        "portrait",
        "A profile with a landscape inside",
        "portrait person personne man homme woman femme face visage girl fille boy garcon child enfant profile profil "
        "silhouette lady dame human humain people king roi queen reine self mother mere father pere",
        "sunset dawn dusk forest",
        3,
        free=True,
    ),
    _subject(
        "dunes",
        "Dunes",
        "dune desert sahara sand sable oasis canyon camel chameau caravan caravane",
        "desert sunset desert dusk",
        2,
        free=True,
        instead="day:desert",
    ),
    _subject(
        "space",
        "A planet and its nebula",
        "space espace planet planete saturn saturne jupiter mars galaxy galaxie nebula nebuleuse cosmos "
        "universe univers astronaut astronaute rocket fusee alien orbit orbite anneau",
        "neon dusk aurora ember",
        2,
        free=True,
        instead="night:dusk day:dusk",
    ),
    _subject(
        "village",
        "A village on the hills",
        "village house maison home castle chateau fort fortress palace palais donjon knight chevalier kingdom "
        "royaume farm ferme cottage hamlet hameau barn grange roof toit chimney cheminee "
        "countryside campagne fairy fee conte tale",
        "dusk autumn winter dawn spring",
        2,
        free=True,
    ),
    _subject(
        "still",
        "A still life",
        "stilllife vase bottle bouteille jug cruche bowl bol cup tasse coffee cafe tea fruit apple "
        "pomme pear poire lemon citron wine vin table kitchen cuisine ceramic ceramique pottery poterie food",
        "vintage autumn mist dawn",
        2,
        free=True,
        not_colours="orange",
    ),
    _subject(
        "maps",
        "A chart of an unknown land",
        "map carte chart treasure tresor island archipelago archipel topographic topographique atlas world "
        "monde voyage travel pirate geography geographie relief continent",
        "vintage mist ocean autumn",
        2,
        free=True,
    ),
    _subject(
        "weave",
        "Woven cloth",
        "weave woven textile tissu tapis carpet rug kilim pattern motif cloth fabric wool laine yarn knit "
        "tricot tapestry tapisserie ethnic ethnique geometric geometrique embroidery broderie",
        "autumn vintage desert candy",
        2,
        free=True,
    ),
    _subject(
        "reef",
        "Fish under water",
        "underwater fish poisson reef recif coral corail aquarium whale baleine dolphin dauphin shark requin "
        "octopus pieuvre jellyfish meduse turtle tortue diving plongee mermaid sirene koi",
        "ocean",
        3,
        free=True,
        instead="day:ocean night:ocean",
    ),
    _subject(
        "shapes",
        "A composition of shapes",
        "abstract abstrait abstraite shape forme bauhaus geometry geometrie minimal minimaliste circle cercle "
        "cubism cubisme modern moderne poster affiche logo design art",
        "vintage sunset autumn winter",
        1,
        free=True,
    ),
    _subject(
        "aurora",
        "Northern lights over a lake",
        "aurora aurore boreal boreale polar polaire lapland laponie iceland islande fjord",
        "aurora",
        2,
        free=True,
        instead="night:aurora winter:aurora forest:aurora",
    ),
)
