// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util.h"
#include "vm.h"

/* Bits 52 and up of a redistributor region: how many frames it has. */
#define REDIST_COUNT_SHIFT	52

extern const char guest_start[], guest_end[];

static int kvm_fd = -1;

static int kvm_ioctl(int fd, unsigned long request, const void *arg,
		     const char *name)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		die(EXIT_ENV, "%s: %s", name, strerror(errno));
	return ret;
}
#define KVM(fd, request, arg)	kvm_ioctl(fd, request, (const void *)(arg), #request)

/* One gigabyte of devices at 0, one of memory at GUEST_RAM, identity mapped. */
static void fill_page_table(uint64_t *table)
{
	const uint64_t block = 1, af = 1 << 10, inner_shareable = 3 << 8;
	const uint64_t never_execute = 3ULL << 53, attribute_1 = 1 << 2;

	table[0] = block | af | never_execute;
	table[1] = GUEST_RAM | block | af | inner_shareable | attribute_1;
}

static void *ram_at(struct vm *vm, uint64_t address)
{
	return (char *)vm->ram + (address - GUEST_RAM);
}

uint64_t vm__block_address(int id)
{
	return GUEST_BLOCKS + (uint64_t)id * GUEST_PAGE;
}

uint64_t vm__ticks(unsigned int us)
{
	uint64_t frequency;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	return frequency / 1000 * us / 1000;
}

struct guest_block *vm__block(struct vm *vm, int id)
{
	return ram_at(vm, vm__block_address(id));
}

static void create_ram(struct vm *vm)
{
	const size_t unit = 65536;	/* the largest host page */
	size_t size = vm__block_address(vm->config.nr_vcpus) - GUEST_RAM;
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_RAM,
	};

	vm->ram_size = (size + unit - 1) / unit * unit;
	vm->ram = mmap(NULL, vm->ram_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (vm->ram == MAP_FAILED)
		die(EXIT_ENV, "no memory for a guest");
	memcpy(ram_at(vm, GUEST_CODE), guest_start, guest_end - guest_start);
	fill_page_table(ram_at(vm, GUEST_TABLE));

	region.memory_size = vm->ram_size;
	region.userspace_addr = (uintptr_t)vm->ram;
	KVM(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* CPUs with few physical address bits refuse the default size of 40. */
static unsigned long machine_type(void)
{
	int bits = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return bits > 0 && bits < 40 ? (unsigned long)bits : 0;
}

void vm__create(struct vm *vm, const struct vm_config *config)
{
	memset(vm, 0, sizeof(*vm));
	vm->config = *config;
	if (config->nr_vcpus < 1 || config->nr_vcpus > VM_MAX_VCPUS)
		die(EXIT_USAGE, "a VM has 1 to %d vcpus", VM_MAX_VCPUS);

	if (kvm_fd < 0)
		kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		die(EXIT_ENV, "/dev/kvm: %s", strerror(errno));
	vm->fd = KVM(kvm_fd, KVM_CREATE_VM, machine_type());
	vm->run_size = KVM(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	create_ram(vm);
}

static void set_reg(int fd, uint64_t index, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index,
		.addr = (uintptr_t)&value,
	};

	KVM(fd, KVM_SET_ONE_REG, &reg);
}

#define CORE_REG(reg) \
	(KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE_REG(reg))

static const struct {
	const char *name;
	uint64_t id;
} dumped[] = {
	{ "pc", CORE_REG(regs.pc) },
	{ "x15", CORE_REG(regs.regs[15]) },
	{ "x19", CORE_REG(regs.regs[19]) },
	{ "x20", CORE_REG(regs.regs[20]) },
	{ "x30", CORE_REG(regs.regs[30]) },
	{ "esr", ARM64_SYS_REG(3, 0, 5, 2, 0) },
	{ "elr", CORE_REG(elr_el1) },
	{ "far", ARM64_SYS_REG(3, 0, 6, 0, 0) },
	{ "sctlr", ARM64_SYS_REG(3, 0, 1, 0, 0) },
	{ "cpacr", ARM64_SYS_REG(3, 0, 1, 0, 2) },
	{ "vbar", ARM64_SYS_REG(3, 0, 12, 0, 0) },
	{ "ttbr0", ARM64_SYS_REG(3, 0, 2, 0, 0) },
};

void vm__dump(struct vm *vm, int id)
{
	uint64_t value;
	struct kvm_one_reg reg = { .addr = (uintptr_t)&value };

	fprintf(stderr, "fpload: vcpu %d:", id);
	for (size_t i = 0; i < sizeof(dumped) / sizeof(dumped[0]); i++) {
		reg.id = KVM_REG_ARM64 | dumped[i].id;
		KVM(vm->vcpu_fd[id], KVM_GET_ONE_REG, &reg);
		fprintf(stderr, " %s %#llx", dumped[i].name,
			(unsigned long long)value);
	}
	fputc('\n', stderr);
}

void vm__init_vcpu(struct vm *vm, int id, bool off)
{
	int fd = KVM(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	int sve = KVM_ARM_VCPU_SVE;
	struct kvm_vcpu_init init;
	struct guest_block *block = vm__block(vm, id);

	KVM(vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	if (off)
		init.features[0] |= 1 << KVM_ARM_VCPU_POWER_OFF;
	if (vm->config.sve)
		init.features[0] |= 1 << KVM_ARM_VCPU_SVE;
	KVM(fd, KVM_ARM_VCPU_INIT, &init);
	if (vm->config.sve)
		KVM(fd, KVM_ARM_VCPU_FINALIZE, &sve);

	set_reg(fd, KVM_REG_ARM_CORE_REG(regs.pc), GUEST_CODE);
	set_reg(fd, KVM_REG_ARM_CORE_REG(regs.regs[0]), vm__block_address(id));
	block->gicr = GUEST_GICR + (uint64_t)id * GUEST_GICR_SIZE;

	vm->vcpu_fd[id] = fd;
	vm->run[id] = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_POPULATE, fd, 0);
	if (vm->run[id] == MAP_FAILED)
		die(EXIT_ENV, "mmap of a vcpu: %s", strerror(errno));
}

static void set_gic(int fd, uint32_t group, uint64_t attr, uint64_t value)
{
	struct kvm_device_attr device_attr = {
		.group = group, .attr = attr, .addr = (uintptr_t)&value,
	};

	KVM(fd, KVM_SET_DEVICE_ATTR, &device_attr);
}

void vm__init_gic(struct vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t redist = GUEST_GICR |
			  (uint64_t)vm->config.nr_vcpus << REDIST_COUNT_SHIFT;

	KVM(vm->fd, KVM_CREATE_DEVICE, &device);
	set_gic(device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
		KVM_VGIC_V3_ADDR_TYPE_DIST, GUEST_GICD);
	set_gic(device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR,
		KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, redist);
	set_gic(device.fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
		KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	close(device.fd);
}

void vm__destroy(struct vm *vm)
{
	for (int i = 0; i < vm->config.nr_vcpus; i++) {
		munmap(vm->run[i], vm->run_size);
		close(vm->vcpu_fd[i]);
	}
	close(vm->fd);
	munmap(vm->ram, vm->ram_size);
}
