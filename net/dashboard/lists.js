// Further things that wait for a person: edits of records that are gone, what a retired site wrote
// last, records that look alike.

import {get, post, query} from './client.js';
import {busy, button, confirmed, failed, h, loading, toast} from './dom.js';
import {linkOf} from './records.js';
import {plural, valueText} from './words.js';

// A button whose work changes the list: `again` shows it anew.
function act(text, kind, work, again, label) {
    return button(text, (event) => busy(event.currentTarget, async () => {
        await work();
        again();
    }), kind, label ? {'aria-label': label} : {});
}

export async function orphans(again) {
    const page = await get('/v1/orphans' + query({limit: 50}));
    if (!page.orphans.length) return [];
    const decide = (one, keep) => () =>
        post('/v1/orphans', {collection: one.collection, id: one.id, keep});
    return [h('section', {}, h('h2', {}, 'Edits of deleted records'),
        h('p', {class: 'soft'}, 'A site that was put back from an old copy changed these records, ' +
                                'which everybody else had deleted long ago.'),
        page.orphans.map((one) => h('div', {class: 'card decision'},
            h('h3', {}, one.id, h('span', {class: 'of'}, ` in ${one.collection}`)),
            h('p', {}, valueText(one.fields, 400)),
            h('div', {class: 'row'},
              act('Bring it back with this', 'primary', decide(one, true), again,
                  `Bring it back with this: ${one.id}`),
              act('Let it go', '', decide(one, false), again, `Let it go: ${one.id}`)))))];
}

export async function reviews(again) {
    const answer = await get('/v1/members/reviews');
    if (!answer.reviews.length) return [];
    const decide = (one, decision) => async () => {
        const done = await post('/v1/members/reviews', {actor: one.actor, decision});
        toast(decision === 'keep' ? 'Kept.' : `${plural(done.changed, 'record')} put back.`);
        if (done.left_count)
            toast(`${plural(done.left_count, 'record')} stay as they are: their past is not kept.`,
                  'bad');
    };
    return [h('section', {}, h('h2', {}, 'Written by a site that was no longer allowed to'),
        answer.reviews.map((one) => h('div', {class: 'card decision'},
            h('h3', {}, one.name),
            h('p', {}, one.reason === 'retired'
                ? 'Other sites took these changes before they heard that it was retired.'
                : 'Other sites took these changes before they heard that it may not write them.'),
            h('p', {class: 'soft'}, `${plural(one.record_count, 'record')}: `,
              one.records.slice(0, 12).map((name, i) => [i ? ', ' : '',
                  h('a', {href: linkOf(name.collection, name.id)}, name.id)]),
              one.record_count > 12 ? ' and more' : ''),
            h('div', {class: 'row'},
              act('Keep all of it', 'primary', decide(one, 'keep'), again),
              act('Undo all of it', '', decide(one, 'revert'), again)))))];
}

function group(one, again) {
    const picked = {into: one.ids[0]};
    const radios = one.ids.map((id) => h('label', {class: 'choice'},
        h('input', {type: 'radio', name: one.ids.join('|'), checked: id === picked.into,
                    onchange: () => {
            picked.into = id;
        }}), h('span', {}, h('a', {href: linkOf(one.collection, id)}, id))));
    const merge = async () => {
        const others = one.ids.filter((id) => id !== picked.into);
        const sure = await confirmed('Make them one record?',
            [`${picked.into} stays and gets the fields that it lacks. ${others.join(', ')} ` +
             'becomes another name for it. This can be taken back.'], 'Make them one');
        if (!sure) return;
        for (const from of others)
            await post('/v1/duplicates/merge', {collection: one.collection, into: picked.into,
                                                from});
        toast('They are one record now.');
    };
    return h('div', {class: 'card decision'},
             h('h3', {}, valueText(one.identity), h('span', {class: 'of'},
                                                    ` in ${one.collection}`)),
             h('fieldset', {class: 'plain-set'}, h('legend', {}, 'Which one stays?'), radios),
             act('Make them one…', 'primary', merge, again));
}

function mergedRow(one, again) {
    const notes = [one.changed && 'changed since by somebody who did not know',
                   one.orphaned && 'the record that it stands for was deleted',
                   one.rivals.length > 0 && `also merged into ${one.rivals.join(', ')}`]
        .filter(Boolean).join('; ');
    return h('li', {class: 'row between'},
             h('span', {}, h('strong', {}, one.from), ' is another name for ',
               h('a', {href: linkOf(one.collection, one.into)}, one.into),
               h('span', {class: 'soft'}, ` in ${one.collection}${notes ? `: ${notes}` : ''}`)),
             act('Separate', 'small', () => post('/v1/duplicates/unmerge',
                 {collection: one.collection, into: one.into, from: one.from}), again,
                 `Separate ${one.from} from ${one.into}`));
}

// Looked for when asked: the node reads every record for it.
export function duplicates() {
    const box = h('div', {});
    const look = async () => {
        box.replaceChildren(loading('Reading all records…'));
        try {
            const answer = await get('/v1/duplicates');
            const parts = answer.groups.map((one) => group(one, look));
            if (answer.merged.length)
                parts.push(h('div', {class: 'card'}, h('h3', {}, 'Merged records'),
                    h('ul', {class: 'plain-list'}, answer.merged.map((one) =>
                        mergedRow(one, look)))));
            if (!answer.complete)
                parts.push(h('p', {class: 'soft'}, 'There are more; look again when these are done.'));
            box.replaceChildren(...(parts.length ? parts : [h('p', {role: 'status'},
                'No two records look alike. What counts as alike is the identity in the schema.')]));
        } catch (error) {
            box.replaceChildren(failed(error, look));
        }
    };
    return h('section', {}, h('h2', {}, 'Records that look alike'),
             h('p', {class: 'soft'}, 'The same customer twice? This reads every record, so it runs ' +
                                     'when you ask for it.'),
             h('p', {}, button('Look for them', (event) => busy(event.currentTarget, look))), box);
}
