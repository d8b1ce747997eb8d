// Returns the controls that are less than 24 pixels high (WCAG 2.2 AA), with their labels.

const controls = [...document.querySelectorAll("button, select, input:not([type=radio])")];
return controls
  .filter((control) => control.checkVisibility() && control.type !== "range")
  .filter((control) => (control.closest("label") ?? control).getBoundingClientRect().height < 24)
  .map((control) => control.outerHTML);
