/** Elements, made from text only: nothing that a subscriber or a service wrote is ever read as HTML. */
export function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}
