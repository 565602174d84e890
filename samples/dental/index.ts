/** The sample dental service: appointments. A back end module as an operator would write it. */
export { backend } from './module.ts'
