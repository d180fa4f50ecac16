/** Every word that the scripts of the label page say; those of the page itself stand in its template. */

import { figure, say, sayMany } from '../words.js';

/** @param {number} share */
export const percent = (share) => Math.round(share * 100);

/** How far an answer tells the animal. @type {Record<string, string>} */
const RANKS = { species: say('species'), genus: say('genus'), group: say('group') };

export const words = {
  saved: say('Saved'),
  saving: say('Saving'),
  /** @param {number} n */
  waiting: (n) => say('%(count)s waiting', { count: n }),
  fetching: say('Fetching the first crops'),
  fetchingNext: say('Fetching the next crops'),
  fetchingPhoto: say('Fetching this photo'),
  /** @param {string} clock */
  offline: (clock) =>
    say('No connection since %(time)s. Go on: your answers are kept on this computer and sent when it is back.', { time: clock }),
  offlineSaid: say('No connection. Answers are kept.'),
  /** @param {number} n */
  usedUp: (n) =>
    sayMany('No more crops without a connection. %(num)s answer waits.', 'No more crops without a connection. %(num)s answers wait.', n),
  /** @param {number} n */
  connected: (n) => sayMany('Connected. %(num)s answer sent.', 'Connected. %(num)s answers sent.', n),
  /** @param {number} hours 0: not because the sign-in is old @param {number} n */
  signedOut: (hours, n) => {
    const out = hours ? say('You were signed out after %(hours)s hours.', { hours }) : say('You were signed out.');
    const kept = sayMany(
      '%(num)s answer waits on this computer. Sign in and they are sent, under your name.',
      '%(num)s answers wait on this computer. Sign in and they are sent, under your name.',
      n,
    );
    return `${out} ${kept}`;
  },
  storageFull: say('Not saved on this computer: its storage is full. Stop and tell your administrator.'),
  broken: say('This photo cannot be shown; its file is damaged. Skip it, or answer from the burst.'),

  /** @param {string} name @param {number} number */
  savedFor: (name, number) => say('%(name)s saved for crop %(number)s.', { name, number }),
  /** @param {string} name @param {number} n */
  savedForMany: (name, n) => sayMany('%(name)s saved for %(num)s crop.', '%(name)s saved for %(num)s crops.', n, { name }),
  /** @param {number} number @param {number} size */
  crop: (number, size) => say('Crop %(number)s of %(size)s.', { number, size }),
  /** @param {string} name @param {number} p */
  guess: (name, p) => say('The classifier says %(name)s, %(share)s percent.', { name, share: percent(p) }),
  /** @param {string} name @param {number} number */
  takenBack: (name, number) => say('Taken back: %(name)s, crop %(number)s.', { name, number }),
  takenBackNote: say('taken back'),
  /** @param {string} name */
  takenBackWords: (name) => say('%(name)s, taken back', { name }),
  /** @param {number} number */
  late: (number) => say('Crop %(number)s was given to somebody else; your answer is kept as a second voice.', { number }),
  /** @param {string} why */
  refused: (why) => say('Not saved: %(why)s', { why }),
  /** @param {number} number */
  roundFull: (number) => say('Round %(number)s is full.', { number }),
  /** @param {number} number */
  yourLast: (number) => say('your last answer, crop %(number)s', { number }),
  notCertain: say('not certain'),
  signedOutSign: say('Signed out'),
  signIn: say('Sign in'),
  nothingToUndo: say('There is nothing to take back.'),
  nothingToRedo: say('There is nothing to say again.'),
  firstCrop: say('There is no crop before this one.'),
  lastCrop: say('There is no crop after this one.'),
  uploadPhotos: say('Upload photos'),
  showSkipped: say('Show a skipped crop'),
  review: say('Review'),

  /** @param {number} number */
  round: (number) => say('Round %(number)s', { number }),
  /** @param {number} done @param {number} size */
  ofRound: (done, size) => say('%(done)s of %(size)s', { done: figure(done), size: figure(size) }),
  /** @param {number} crop @param {number} size @param {number} number */
  title: (crop, size, number) => say('Label crop %(crop)s of %(size)s in round %(number)s', { crop, size, number }),
  /** @param {import('./queue.js').Crop} crop @param {number} place 0: in no round */
  label: ({ image: { camera, clock }, number, of }, place) =>
    place
      ? say('Crop %(place)s, camera %(camera)s, %(clock)s, box %(number)s of %(of)s', { place, camera, clock, number, of })
      : say('Crop, camera %(camera)s, %(clock)s, box %(number)s of %(of)s', { camera, clock, number, of }),
  /** @param {string} name @param {string | null} key */
  answer: (name, key) => (key ? say('%(name)s, key %(key)s', { name, key }) : name),
  /** @param {string} name @param {number} share @param {boolean} first */
  guessButton: (name, share, first) =>
    first ? say('%(name)s, %(share)s percent, Enter', { name, share }) : say('%(name)s, %(share)s percent', { name, share }),

  /** @param {number} n */
  learnt: (n) => sayMany('after %(num)s answer', 'after %(num)s answers', n),
  noGuess: say('No guess yet: the first round is random.'),
  noGuessHere: say('No guess for this crop yet'),
  hiddenGuess: say('Hidden. H shows it.'),
  addedUp: say('Added up, since no guess is sure enough'),
  blindGuess: [say('Hidden for this crop'), say('Some are asked so, to check the classifier.')],
  /** @param {string} name @param {number} n @param {number} of */
  takenFor: (name, n, of) => say('often taken for %(name)s, %(count)s of %(of)s', { name, count: n, of }),
  /** @param {string} name */
  noReference: (name) => say('%(name)s: no sure photo yet', { name }),
  /** @param {string} name @param {number} place */
  reference: (name, place) => say('%(name)s, reference photo %(place)s', { name, place }),
  /** @type {Record<string, string>} */
  veils: {
    person: say('A person. Blurred for you.'),
    hidden: say('Hidden until somebody has looked.'),
    opened: say('Shown to you. This was recorded.'),
  },
  wholePhoto: say('The whole photo'),
  noBurst: say('This photo stands alone'),
  /** @param {number} n */
  armed: (n) => say('Burst: the next answer is for %(count)s crops. X takes another photo out, Esc leaves.', { count: n }),
  nothingInBurst: say('No other crop of this burst waits for a name.'),
  noMajority: say('No name of this burst has more crops than the others.'),
  /** @param {number} n @param {number} seconds */
  burst: (n, seconds) => say('This burst · %(count)s photos in %(seconds)s s', { count: n, seconds }),
  /** @param {number} number @param {number} of @param {number} seconds @param {boolean} current */
  frame: (number, of, seconds, current) =>
    current
      ? say('Photo %(number)s of %(of)s, %(seconds)s seconds, current', { number, of, seconds })
      : say('Photo %(number)s of %(of)s, %(seconds)s seconds', { number, of, seconds }),
  /** @param {number} n @param {number} of */
  otherFrame: (n, of) => say("Photo %(number)s of %(of)s of the burst. Home goes back to the crop's own.", { number: n, of }),
  /** @param {{number: number, of: number, score: number, drawn: boolean}} crop */
  box: ({ number, of, score, drawn }) =>
    drawn
      ? say('Box %(number)s of %(of)s · drawn by a person', { number, of })
      : say('Box %(number)s of %(of)s · detector %(score)s', { number, of, score: score.toFixed(2) }),
  boxMode: say('Box mode, Esc leaves'),
  /** @param {number} n @param {number} of */
  boxModeSaid: (n, of) =>
    [
      say('Box mode.'),
      of ? say('Box %(number)s of %(of)s.', { number: n, of }) : say('No box.'),
      say('Arrows move it, Alt and arrows resize it, A adds, Delete removes, Tab goes on, Enter keeps, Escape leaves.'),
    ].join(' '),
  boxModeLeft: say('Box mode left. The boxes are as before.'),
  boxesAsBefore: say('The boxes are as before.'),
  boxesUnsent: say('The boxes that you drew are on their way. Box mode waits for them.'),
  /** @param {string} why */
  boxesAgain: (why) => say('%(why)s They are on the screen: Enter keeps them, Esc leaves the others’.', { why }),
  /** @param {number[]} px */
  boxMoved: (px) => (/** @type {number} */ n, /** @type {number} */ of) =>
    say('Box %(number)s of %(of)s, moved to %(x)s, %(y)s', { number: n, of, x: px[0], y: px[1] }),
  /** @param {number[]} px */
  boxResized: (px) => (/** @type {number} */ n, /** @type {number} */ of) =>
    say('Box %(number)s of %(of)s, resized to %(width)s by %(height)s', { number: n, of, width: px[2] - px[0], height: px[3] - px[1] }),
  /** @param {number} n @param {number} of */
  boxAdded: (n, of) => say('Box %(number)s of %(of)s, added', { number: n, of }),
  /** @param {number} n @param {number} of */
  boxDeleted: (n, of) => say('Box %(number)s of %(of)s, deleted', { number: n, of }),
  /** @param {number} n @param {number} of */
  boxChosen: (n, of) => (of ? say('Box %(number)s of %(of)s', { number: n, of }) : say('No box is left')),
  /** @param {number} n @param {number} of */
  editTakenBack: (n, of) => say('Taken back. Box %(number)s of %(of)s', { number: n, of }),
  noEdit: say('Nothing was drawn yet.'),
  /** The name of the act, as the server says it. @param {import('./draft.js').Drawing} drawing */
  drawn: ({ moved, added, deleted }) =>
    [
      moved.length && sayMany('%(count)s box moved', '%(count)s boxes moved', moved.length, { count: moved.length }),
      added.length && sayMany('%(count)s box added', '%(count)s boxes added', added.length, { count: added.length }),
      deleted.length && sayMany('%(count)s box deleted', '%(count)s boxes deleted', deleted.length, { count: deleted.length }),
    ].filter(Boolean).join(', '),
  /** @param {number} n */
  counted: (n) => say('%(count)s from boxes', { count: n }),
  /** @param {number} n @param {number} boxes */
  countedByHand: (n, boxes) => say('%(count)s by hand, %(boxes)s from boxes', { count: figure(n), boxes }),
  /** @param {number} n */
  countWaits: (n) => say('%(count)s, kept with your answer', { count: figure(n) }),
  /** @param {number} n @param {string | null} name */
  countOf: (n, name) => (name ? `${figure(n)} ${name}` : say('%(count)s in the photo', { count: figure(n) })),
  flag: say('Flag for an expert'),
  flagged: say('Flagged for an expert'),
  flagDown: say('Flag taken down'),
  comment: say('Comment'),
  commentMode: say('Comment: Enter keeps, Esc leaves.'),
  /** @param {string} name */
  noted: (name) => say('%(name)s, kept.', { name }),
  countMode: say('Count mode: digits, Enter keeps, Esc leaves.'),

  tiles: say('Crops'),
  /** @type {Record<string, string>} */
  veiled: { person: say('blurred'), hidden: say('hidden') },
  /** @param {number} share */
  percent: (share) => say('%(share)s percent', { share: percent(share) }),
  /** @param {number} n */
  crops: (n) => sayMany('%(num)s crop', '%(num)s crops', n),
  /** @param {number} n */
  selectAll: (n) => (n === 1 ? say('Select it') : say('Select all %(count)s', { count: figure(n) })),
  /** @param {number} n */
  chosen: (n) => say('%(count)s selected', { count: figure(n) }),
  chooseSome: say('Select crops'),
  nothingChosen: say('None of these can be named so.'),
  /** @param {number} n */
  forChosen: (n) => (n > 1 ? say('For the %(count)s selected', { count: figure(n) }) : say('The classifier says')),
  /** @param {number} n */
  acceptSome: (n) => say('Accept %(count)s', { count: figure(n) }),
  noGuessTile: say('No guess'),
  severalNames: say('Several names'),
  /** @param {string} name @param {number} n */
  sized: (name, n) => say('%(name)s, %(count)s crops', { name, count: figure(n) }),
  /** @param {string} name */
  near: (name) => say('near: %(name)s', { name }),
  /** @param {string} name */
  neighboursSay: (name) => say('neighbours say %(name)s', { name }),
  /** @param {string} who */
  namedBy: (who) => say('named by %(name)s', { name: who }),
  /** @param {string} who */
  hasIt: (who) => say('%(name)s has it now', { name: who }),
  you: say('You'),
  somebody: say('Somebody'),
  yourLastAct: say('your last answer'),
  /** @param {string} name */
  takenBackMany: (name) => say('Taken back: %(name)s.', { name }),
  /** @param {number} n */
  rate: (n) => say('%(rate)s a minute', { rate: n }),

  /** @param {string} name @param {string} rank */
  addSpecies: (name, rank) => say('Add «%(name)s» as a new %(rank)s', { name, rank: RANKS[rank] ?? rank }),
  needsConnection: say('A new species needs a connection.'),
  emptyPhoto: say('Empty photo'),
  skip: say('Skip'),
  skippedSaid: say('Skipped. It comes back at the end of the round.'),
  keysTitle: say('Keys'),
  keysNote: say('Arrows only move. Only a species key, Enter or an answer key says something, and Ctrl Z takes it back, as often as you like.'),
  keysSwitch: say('Letters and digits answer'),
  close: say('Close'),
};
