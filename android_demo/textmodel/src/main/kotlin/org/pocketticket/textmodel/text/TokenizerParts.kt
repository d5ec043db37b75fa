package org.pocketticket.textmodel.text

import org.json.JSONArray
import org.json.JSONObject

/** Makes the tokenizer that the manifest's entry `tokenizer` describes, with the bytes of the file that it names. */
object TokenizerParts {
    /** What the manifest's `kind` may be. */
    val KINDS = setOf("wordpiece", "pipeline")
    private const val VERSION = 1

    /** Throws IllegalArgumentException or JSONException for a description or a file that is unusable. */
    fun read(json: JSONObject, file: ByteArray): Tokenizer = when (val kind = json.getString("kind")) {
        "wordpiece" -> bert(json, WordPiece.readVocabulary(file.decodeToString()))
        "pipeline" -> pipeline(json, Vocabulary(file))
        else -> throw IllegalArgumentException("this app can't tokenize like a “$kind” tokenizer")
    }

    /** BERT's tokenizer, described by a few settings and vocab.txt. */
    private fun bert(json: JSONObject, vocabulary: Map<String, Int>): Tokenizer {
        fun id(token: String) = requireNotNull(vocabulary[token]) { "vocab.txt lacks the token $token" }
        val names = listOf("unk", "cls", "sep", "pad").associateWith { json.getString(it) }
        val (cls, sep) = id(names.getValue("cls")) to id(names.getValue("sep"))
        val typed = (names.values + json.optString("mask", "[MASK]")).distinct()
            .mapNotNull { token -> vocabulary[token]?.let { AddedToken(it, codePoints(token)) } }
        val text = listOf(Template.Part(-1, cls, 0), Template.Part(0, 0, 0), Template.Part(-1, sep, 0))
        return Tokenizer(
            Parts(
                AddedTokens(typed), AddedTokens(emptyList()),
                BertNormalizer(
                    json.getBoolean("clean_text"), json.getBoolean("chinese_chars"), json.getBoolean("lowercase"),
                    json.flagOrNull("strip_accents"),
                ),
                PreTokenizers(listOf(BertWords)),
                WordPiece(
                    { vocabulary[it] ?: -1 }, vocabulary.keys.maxOf { it.length }, id(names.getValue("unk")),
                    json.getString("continuation"), json.getInt("max_word_chars"),
                ),
                Template(text, text + Template.Part(1, 0, 1) + Template.Part(-1, sep, 1)),
                cutLeft = false, trim = null,
            ),
        )
    }

    private fun pipeline(json: JSONObject, vocabulary: Vocabulary): Tokenizer {
        val version = json.getInt("version")
        require(version == VERSION) { "its description has version $version, this app reads version $VERSION" }
        val tokens = json.getJSONArray("added_tokens").objects()
        val template = json.getJSONObject("template")
        return Tokenizer(
            Parts(
                AddedTokens(tokens.filter { !it.getBoolean("normalized") }.map(::addedToken)),
                AddedTokens(tokens.filter { it.getBoolean("normalized") }.map(::addedToken)),
                Normalizers(json.getJSONArray("normalizer").objects().map { normalizer(it, vocabulary) }),
                PreTokenizers(json.getJSONArray("pre_tokenizer").objects().map(::preTokenizer)),
                pieces(json.getJSONObject("model"), vocabulary),
                Template(template.getJSONArray("single").objects().map(::part), template.getJSONArray("pair").objects().map(::part)),
                cutLeft = json.getString("truncation_side") == "left",
                trim = json.optJSONObject("trim_offsets")?.let { Trim(it.getBoolean("add_prefix_space")) },
            ),
        )
    }

    private fun addedToken(json: JSONObject) = AddedToken(
        json.getInt("id"), codePoints(json.getString("text")),
        json.getBoolean("single_word"), json.getBoolean("lstrip"), json.getBoolean("rstrip"),
    )

    private fun part(json: JSONObject) = Template.Part(json.optInt("text", -1), json.optInt("id", -1), json.getInt("segment"))

    private fun normalizer(json: JSONObject, vocabulary: Vocabulary): Normalizer = when (val type = json.getString("type")) {
        "BertNormalizer" -> BertNormalizer(
            json.getBoolean("clean_text"), json.getBoolean("handle_chinese_chars"), json.getBoolean("lowercase"),
            json.flagOrNull("strip_accents"),
        )
        "NFC" -> UnicodeForm.NFC
        "NFD" -> UnicodeForm.NFD
        "NFKC" -> UnicodeForm.NFKC
        "NFKD" -> UnicodeForm.NFKD
        "Precompiled" -> Charsmap(vocabulary.charsmap)
        "Lowercase" -> Lowercase
        "StripAccents" -> StripAccents
        "Strip" -> Strip(json.getBoolean("strip_left"), json.getBoolean("strip_right"))
        "Prepend" -> Prepend(json.getString("prepend"))
        "Replace" -> Replace(
            json.getString("content"),
            json.optJSONArray("any_of")?.let { Replace.anyOf(it.ints(), json.getInt("run")) }
                ?: Replace.literal(json.getString("text")),
        )
        else -> throw IllegalArgumentException("this app does not know the normalizer “$type”")
    }

    private fun preTokenizer(json: JSONObject): PreTokenizer = when (val type = json.getString("type")) {
        "BertPreTokenizer" -> BertWords
        "ByteLevel" -> ByteLevel(json.getBoolean("add_prefix_space"), json.getBoolean("use_regex"))
        "WhitespaceSplit" -> WhiteSpaceSplit
        "Whitespace" -> Runs.words()
        "Digits" -> Runs.digits(json.getBoolean("individual_digits"))
        "Metaspace" -> Metaspace(
            json.getString("replacement").codePointAt(0),
            Metaspace.Scheme.valueOf(json.getString("prepend_scheme").uppercase(java.util.Locale.ROOT)),
            json.getBoolean("split"),
        )
        else -> throw IllegalArgumentException("this app does not know the pre_tokenizer “$type”")
    }

    private fun pieces(json: JSONObject, vocabulary: Vocabulary): Pieces = when (val type = json.getString("type")) {
        "WordPiece" -> WordPiece(
            { vocabulary.find(it) }, vocabulary.longest, known(json, vocabulary),
            json.getString("continuing_subword_prefix"), json.getInt("max_input_chars_per_word"),
        )
        "BPE" -> Bpe(
            vocabulary, if (json.isNull("unk_token")) -1 else known(json, vocabulary),
            json.getBoolean("fuse_unk"), json.getBoolean("byte_fallback"), json.getBoolean("ignore_merges"),
            json.getString("continuing_subword_prefix"), json.getString("end_of_word_suffix"),
        )
        "Unigram" -> Unigram(vocabulary, json.getInt("unk_id"), json.getBoolean("byte_fallback"))
        else -> throw IllegalArgumentException("this app does not know the model “$type”")
    }

    private fun known(json: JSONObject, vocabulary: Vocabulary): Int {
        val token = json.getString("unk_token")
        return vocabulary.find(token).also { require(it >= 0) { "the vocabulary lacks the token $token" } }
    }

    private fun JSONObject.flagOrNull(key: String): Boolean? = if (isNull(key)) null else getBoolean(key)

    private fun JSONArray.objects(): List<JSONObject> = List(length()) { getJSONObject(it) }

    private fun JSONArray.ints(): IntArray = IntArray(length()) { getInt(it) }
}
