/* A plugin of QEMU's emulators of single programs: counts the instructions that the emulated program executes.

       qemu-aarch64 -plugin plugin.so ...

   The count so far is printed, a line on stdout, whenever the program calls getppid(): a system call that nothing else
   makes. Debian has no header of QEMU's plugins, so what is used of their interface is declared here. The counter is
   plain: it is right for one thread. */

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define EXPORTED __attribute__((visibility("default")))
#define READS_NO_REGISTERS 0
#define GETPPID 173 /* on arm64 */

typedef uint64_t plugin_id;
struct qemu_plugin_tb; /* a block of instructions that is translated as one */

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, void (*)(plugin_id, unsigned, int64_t, uint64_t, uint64_t,
                                                              uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                                              uint64_t));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

EXPORTED int qemu_plugin_version = 1;
static uint64_t executed;

static void block_executed(unsigned processor, void *instructions) {
  executed += (uintptr_t)instructions;
}

static void block_translated(plugin_id id, struct qemu_plugin_tb *block) {
  void *instructions = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_cb(block, block_executed, READS_NO_REGISTERS, instructions);
}

static void system_called(plugin_id id, unsigned processor, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                          uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  if (number == GETPPID) {
    printf("%" PRIu64 "\n", executed);
    fflush(stdout);
  }
}

EXPORTED int qemu_plugin_install(plugin_id id, const void *emulator, int count, char **arguments) {
  qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
  qemu_plugin_register_vcpu_syscall_cb(id, system_called);
  return 0;
}
