/** The picture of the flow, with the screen of the dialogue lit. */
const at = (id) => document.getElementById(id)
let drawn = ''
/** The latest: a picture may come later than what is lit in it. */
let dialogue = { screen: undefined, visited: [] }

at('whole').addEventListener('change', () => at('picture').classList.toggle('whole', at('whole').checked))

/** Draws the flow if it has another revision than the picture. */
export async function showPicture({ flow, revision, screen, visited }) {
  dialogue = { screen, visited }
  const wanted = revision ? `${flow} ${revision}` : ''
  if (wanted !== drawn) {
    drawn = wanted
    await draw(flow, wanted)
  }
  light(dialogue)
}

async function draw(flow, wanted) {
  const response = wanted && (await fetch(`/api/flows/${encodeURIComponent(flow)}/picture`))
  const text = response ? await response.text() : ''
  // Another revision may have come meanwhile.
  if (wanted !== drawn) return
  const isPicture = response && response.ok
  at('picture-said').hidden = !response || isPicture
  at('picture-said').textContent = response && !isPicture ? JSON.parse(text).error : ''
  const svg = isPicture ? new DOMParser().parseFromString(text, 'image/svg+xml').documentElement : undefined
  at('picture').replaceChildren(...(svg ? [document.adoptNode(svg)] : []))
}

function light({ screen, visited }) {
  for (const state of at('picture').querySelectorAll('.state')) {
    const { screen: name } = state.dataset
    const wasLit = state.classList.contains('lit')
    state.classList.toggle('seen', visited.includes(name))
    state.classList.toggle('lit', name === screen)
    if (name === screen && !wasLit) reveal(state)
  }
}

/** Scrolls the picture, and nothing else of the page. */
function reveal(state) {
  const [frame, box] = [at('picture').getBoundingClientRect(), state.getBoundingClientRect()]
  at('picture').scrollBy({
    left: box.left + box.width / 2 - frame.left - frame.width / 2,
    top: box.top + box.height / 2 - frame.top - frame.height / 2,
  })
}
