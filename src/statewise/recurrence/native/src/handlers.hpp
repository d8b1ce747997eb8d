// The addresses of the XLA custom calls.
#pragma once

namespace statewise {

void* forward_handler();
void* backward_handler();
void* adam_handler();
void* linear_forward_handler();
void* linear_backward_handler();

}  // namespace statewise
