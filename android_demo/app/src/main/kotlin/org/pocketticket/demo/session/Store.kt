package org.pocketticket.demo.session

/** One immutable state and whoever watches it. Main thread only. */
class Store<T>(initial: T) {
    var value: T = initial
        set(next) {
            field = next
            watchers.toList().forEach { it(next) }
        }
    private val watchers = LinkedHashSet<(T) -> Unit>()

    /** Calls `watcher` now and after every change. Returns what ends that. */
    fun watch(watcher: (T) -> Unit): () -> Unit {
        watchers.add(watcher)
        watcher(value)
        return { watchers.remove(watcher) }
    }
}
