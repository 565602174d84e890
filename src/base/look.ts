/** The look that all our pages share: colours, type, buttons, cards. Light and dark, from 360 px up. */
export const LOOK_CSS = new URL('web/look.css', import.meta.url)
