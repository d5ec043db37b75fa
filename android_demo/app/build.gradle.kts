plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.pocketticket.demo"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.pocketticket.demo"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionCode = libs.versions.appVersionCode.get().toInt()
        versionName = libs.versions.appVersionName.get()
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("proguard-rules.pro")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    kotlinOptions { jvmTarget = "1.8" }

    sourceSets["test"].java.srcDir("../textmodel/src/testFixtures/kotlin")

    testOptions { unitTests.isIncludeAndroidResources = true }
}

/** Puts the four files of the bundle where the app looks for them: assets/bundle/. */
abstract class CopyBundle : DefaultTask() {
    @get:InputDirectory
    abstract val bundle: DirectoryProperty

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @get:Inject
    abstract val files: FileSystemOperations

    @TaskAction
    fun copy() {
        files.sync {
            from(bundle) { include("model.pte", "vocab.txt", "vocabulary.bin", "manifest.json", "golden.json") }
            into(assets.dir("bundle"))
        }
    }
}

val copyBundle = tasks.register<CopyBundle>("copyBundle") {
    bundle = rootProject.layout.projectDirectory.dir(providers.gradleProperty("bundle"))
}

androidComponents.onVariants { variant ->
    variant.sources.assets?.addGeneratedSourceDirectory(copyBundle, CopyBundle::assets)
}

dependencies {
    implementation(project(":textmodel"))
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}
