// The addresses of the XLA custom calls.
#pragma once

namespace statewise {

void* forward_handler();
void* backward_handler();
void* adam_handler();

}  // namespace statewise
