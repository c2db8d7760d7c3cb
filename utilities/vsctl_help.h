/* vsctl_help.h - the text of weir-vsctl --help. */
#pragma once

void vsctl_print_help(void);
