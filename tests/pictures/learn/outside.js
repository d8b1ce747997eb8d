// Returns the texts and boxes of the picture that reach out of it.

const svg = document.querySelector("#picture svg").getBoundingClientRect();
const parts = [...document.querySelectorAll("#picture svg text, #picture svg rect")];
return parts
  .filter((part) => {
    const box = part.getBoundingClientRect();
    const aside = box.left < svg.left - 1 || box.right > svg.right + 1;
    return aside || box.top < svg.top - 1 || box.bottom > svg.bottom + 1;
  })
  .map((part) => part.outerHTML);
