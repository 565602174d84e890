/** Escapes text for HTML and SVG. */
import { html } from 'hono/html'

export const escapeMarkup = (text: string): string => String(html`${text}`)
