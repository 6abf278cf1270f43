//! What the synthetic reviews are made of: sentences with choices, nothing taken from any person.
//!
//! `[a|b]` stands for one of its parts, `{dish}` for a dish. Choices do not nest.

/// A concept on which the stars depend.
pub struct Concept {
    pub name: &'static str,
    /// Points added to the stars, before noise, rounding and clipping.
    pub effect: f64,
    /// Share of the reviews that have it.
    pub share: f64,
    /// Beginnings of words that tell most of its sentences.
    pub phrases: &'static [&'static str],
    /// Every way it is said; the last ones use none of the phrases.
    pub sentences: &'static [&'static str],
    /// The same words in sentences that mean something else.
    pub decoys: &'static [&'static str],
}

pub const CONCEPTS: &[Concept] = &[
    Concept {
        name: "long wait",
        effect: -0.9,
        share: 0.13,
        phrases: &["wait", "minutes", "hour", "slow", "line"],
        sentences: &[
            "We waited [thirty|forty|fifty] minutes [for a table|for our food|to be seated].",
            "After [an hour|forty minutes] we were still waiting [for the {dish}|in line|for a table].",
            "The line was [long|slow] and the wait [endless|even longer|over an hour].",
            "Slow [service|kitchen], [long waits|an hour for a {dish}|forty minutes of waiting].",
            "It took [an hour|fifty minutes] [for the {dish} to come|to get a table], that is a slow [kitchen|place].",
            "We stood in line [half an hour|twenty minutes] [and waited again inside|to wait some more].",
            "I hate waiting [in line|this long], and here you wait [an hour|forty minutes].",
            "The {dish} came [an hour|fifty minutes] late, [too slow for me|so much waiting].",
            "Service is [slow|so slow|painfully slow], [bring patience for the wait|the line hardly moves].",
            "[Thirty|Forty|Fifty] minutes in line, [another hour at the table|then more waiting].",
            "The waits are [long|an hour and more], [the line never ends|the kitchen is slow].",
            "I could have read a novel before the {dish} showed up.",
            "Bring a book, you will have time to finish it.",
        ],
        decoys: &[
            "I can't wait to [see what they do in spring|show my sister the view from upstairs].",
            "It is ten minutes [from the station|from my office] on foot.",
            "The place is on the [red|blue] line, right by the [museum|old bridge].",
        ],
    },
    Concept {
        name: "rude staff",
        effect: -1.1,
        share: 0.10,
        phrases: &["rude", "attitude", "ignored", "snapped", "unfriendly"],
        sentences: &[
            "The [waiter|server|hostess|manager] was [rude|unfriendly|really rude].",
            "Our [waiter|server] ignored us [and was rude when I asked why|with an attitude].",
            "The [manager|bartender|cashier] snapped at [us|my mother|a guest], so [rude|unfriendly].",
            "Rude [staff|waiters], [unfriendly|ignored us all evening|an attitude from everyone].",
            "What an attitude [from the hostess|from the waiter], [she snapped at us|he ignored every question].",
            "The staff [ignored us|kept ignoring our table|snapped at everybody], [an unfriendly lot|with real attitude].",
            "[Unfriendly|Rude] from the first minute, [the server even snapped at a child|we were simply ignored].",
            "I have never been treated so rudely, [ignored at the door|snapped at by a waiter].",
            "The rudeness of the [manager|waiter] [and the attitude|was something].",
            "They are [unfriendly|rude] [on the phone|at the door] and [ruder at the table|they ignore you inside].",
            "The [waiter|hostess] talked to us as if we were a bother.",
            "A shrug was all the [server|manager] had for us.",
        ],
        decoys: &[
            "My friend snapped a picture of [the door|the sign outside].",
            "We ignored the [rain|traffic] and walked.",
        ],
    },
    Concept {
        name: "cold food",
        effect: -0.8,
        share: 0.12,
        phrases: &["cold", "lukewarm", "reheat", "microwave"],
        sentences: &[
            "The {dish} [was|came out|arrived] [cold|lukewarm|cold again].",
            "My {dish} was lukewarm [and the rice cold|at best, and the {dish} cold].",
            "I sent the {dish} back because it was cold [in the middle|inside], [they only microwaved it|it came back lukewarm].",
            "The {dish} tasted [reheated|microwaved], [hot at the rim and cold inside|and was lukewarm].",
            "[Half of|Most of] our food was [cold|lukewarm], [clearly reheated|straight from the microwave].",
            "They [reheat|microwave] the {dish}, and [it stays cold inside|it comes out lukewarm].",
            "Cold {dish}, [cold plates|cold gravy|lukewarm soup].",
            "Everything was lukewarm [or cold|as if reheated].",
            "A reheated {dish}, [still cold|lukewarm in the middle], and a microwave [beeping|humming] in the back.",
            "Even the {dish} was [cold|lukewarm], [reheat it at least|no microwave would help].",
            "The {dish} had lost all its heat somewhere on the way from the kitchen.",
        ],
        decoys: &[
            "It was a cold [evening|morning|night] and [we kept our coats on|the windows were fogged up].",
            "I had a cold that week and [stuck to tea|could not smell a thing].",
        ],
    },
    Concept {
        name: "dirty tables",
        effect: -0.8,
        share: 0.11,
        phrases: &["dirty", "sticky", "crumbs", "filthy", "stain"],
        sentences: &[
            "The table was [sticky|dirty|filthy] and [full of crumbs|so was the floor].",
            "[Sticky|Dirty|Filthy] tables, [dirty glasses|crumbs on the seats|stains on the menus].",
            "There were crumbs [all over the seats|on every chair], and [a sticky table|stains on the cloth].",
            "The menus were [sticky|full of stains|filthy], [the glasses dirty|the table too].",
            "[Dirty|Filthy] [forks|glasses|plates] and [crumbs|stains] [everywhere|on the table].",
            "My glass had [stains|a dirty rim] and the table was [sticky|filthy].",
            "The floor was [filthy|dirty|sticky], [crumbs crunched under our shoes|the chairs had stains].",
            "They never wipe the crumbs, [it is all sticky|everything is dirty].",
            "Stained [cloth|napkins], [crumbs in the corners|a sticky floor|dirty cups].",
            "The dirt on the [seats|floor], the crumbs, [the stains|the filthy windows].",
            "Somebody else's leftovers were still in front of us when we were seated.",
        ],
        decoys: &[
            "My colleague had a dirty martini [with three olives|and liked it].",
            "We had sticky [rice|ribs] to share.",
        ],
    },
    Concept {
        name: "wrong order",
        effect: -0.7,
        share: 0.11,
        phrases: &["wrong", "mixed up", "forgot", "missing", "mistake"],
        sentences: &[
            "They got our order wrong [and forgot the drinks|twice|again].",
            "They brought the wrong {dish} [and forgot the {dish}|by mistake].",
            "Our order was mixed up [with another one|again], [the {dish} was missing|wrong plates all round].",
            "The kitchen mixed up [the plates|two orders] and forgot [the sides|my {dish}].",
            "They forgot [the side dishes|the {dish}] and the rest was [wrong|mixed up].",
            "The {dish} was missing [from our order|when we got home], [they forgot it|a mistake they make often].",
            "[Two|Three] things were missing and one was wrong.",
            "There was a mistake [on the bill|in our order], [something missing, something wrong|they mixed up the tables].",
            "I asked for no onions and they forgot, [wrong sauce as well|the dressing was missing too].",
            "The wrong [sauce|bread] came with the {dish}, [a mistake|they mixed it up].",
            "They keep forgetting [things|the extras], and mistakes [like a missing {dish}|like wrong orders] add up.",
            "I asked for the {dish} and was handed something I had never heard of.",
        ],
        decoys: &[
            "I took the wrong [exit|turn] and came in through the back.",
            "I forgot my umbrella [at home|in the car].",
        ],
    },
    Concept {
        name: "great value",
        effect: 0.7,
        share: 0.13,
        phrases: &["value", "price", "cheap", "affordable", "bargain"],
        sentences: &[
            "[Great|Good|Excellent] value, [low prices|and cheap too|a real bargain].",
            "The prices are [very reasonable|fair|low], [cheap even|good value].",
            "[Cheap|Really cheap] and good value [for a family|for lunch].",
            "An affordable [lunch|dinner], [cheap for this street|at a fair price].",
            "At that price the {dish} is a [real|true] bargain.",
            "The lunch deal is a bargain, [great value|cheap and filling].",
            "Hard to find [better value|such prices], [so affordable|a bargain].",
            "The {dish} is [fairly priced|cheap] and [great value|a bargain].",
            "It is [cheaper|more affordable] than [the place next door|cooking at home], [with great value|and fairly priced].",
            "For the price [you get a lot|it is a bargain], [affordable|good value] for everybody.",
            "We paid next to nothing and left full.",
        ],
        decoys: &[
            "The price list is written on [a chalkboard|a paper slip].",
            "My aunt values [a quiet corner|a window seat] above everything.",
        ],
    },
    Concept {
        name: "warm welcome",
        effect: 0.8,
        share: 0.13,
        phrases: &["friendly", "welcome", "smil", "greet", "kind"],
        sentences: &[
            "The [owner|hostess|whole team] greeted us [with a smile|so kindly|like friends].",
            "Such a friendly [crew|owner|place], [always a smile|a kind word for everyone].",
            "The staff is friendly and [kind|always smiling|welcoming].",
            "They made us feel [welcome|so welcome] [with kind words|and smiled all evening].",
            "Our [server|waiter] was [kind and friendly|friendly|very kind] and [smiled|smiling] all the time.",
            "A warm welcome, [a smile with every plate|kind people|friendly faces].",
            "The friendliest [people|staff] [in town|here], [they greet you at the door|such kind smiles].",
            "[Everyone|The cook] smiled and [greeted us|made us welcome].",
            "The owner [greets every guest|came out to greet us], [so friendly|a kind man|smiling].",
            "You are welcomed [kindly|with a smile] and [treated kindly|greeted by friendly people].",
            "It felt like visiting relatives, only with better chairs.",
        ],
        decoys: &[
            "Dogs are welcome [on the patio|outside].",
            "It is a kind of [tavern|diner] with [booths|high stools].",
        ],
    },
    Concept {
        name: "live music",
        effect: 0.6,
        share: 0.11,
        phrases: &["music", "band", "singer", "guitar", "jazz", "piano"],
        sentences: &[
            "There was live music [and a singer|by a jazz band|with a guitar].",
            "A [jazz band|band] played [live|jazz|guitar music] [all evening|while we ate].",
            "The singer [had a lovely voice|sang jazz] and the band [was great|played live].",
            "The live band [played jazz|had a singer], [we stayed for the music|lovely music].",
            "[Live jazz|Live music] on [Thursdays|Fridays|Sundays], [a band and a singer|guitar and piano].",
            "We stayed for the music, [the band was great|the guitar player was very good].",
            "The [band|musicians] played [between the tables|two long sets], [guitar and piano|jazz mostly].",
            "A singer and a [piano|guitar], [live music|jazz] as it should be.",
            "Live piano [music|and guitar], [the singer is a local|with a small band].",
            "The music is live, [a guitar and a voice|a jazz singer|a piano and a band].",
            "Someone sat down in the corner to play and the whole room went quiet.",
        ],
        decoys: &[
            "The children played [cards|under the table].",
            "A rubber band held the [menu|napkins] together.",
        ],
    },
    Concept {
        name: "fresh ingredients",
        effect: 0.7,
        share: 0.13,
        phrases: &["fresh", "crisp", "garden", "market", "season"],
        sentences: &[
            "Everything [tasted|was] fresh, [the vegetables crisp|straight from the market].",
            "The [vegetables|herbs|tomatoes] are [fresh and crisp|fresh from the market|from their garden].",
            "Fresh [herbs|vegetables|fish] [from the market|from their own garden].",
            "You can taste the freshness, [crisp greens|fresh herbs], [all in season|right from the garden].",
            "The {dish} was made with fresh [herbs|tomatoes|greens] and [crisp peppers|vegetables in season].",
            "They cook with what is in season, [fresh from the garden|bought at the market].",
            "Crisp [lettuce|greens], [fresh herbs|fresh tomatoes], [a lemon from the garden|all from the market].",
            "The fish was [the freshest|so fresh], [the greens crisp|right from the market].",
            "Seasonal [vegetables|greens], fresh [from the garden|from the market] and crisp.",
            "The {dish} is prepared freshly with [garden herbs|vegetables from the market].",
            "The tomatoes tasted as if someone had picked them a moment ago.",
        ],
        decoys: &[
            "We went out for some fresh air [between courses|before leaving].",
            "They are next to the flower market.",
        ],
    },
    Concept {
        name: "homemade desserts",
        effect: 0.6,
        share: 0.12,
        phrases: &["dessert", "homemade", "pie", "cake", "bake", "pudding"],
        sentences: &[
            "The homemade [pie|cake|pudding] [was wonderful|is a must], [dessert as it should be|baked that morning].",
            "Save room for dessert, [the pie is baked here|the cake is homemade].",
            "For dessert we shared [homemade pie|lemon cake|rice pudding], [baked in house|homemade of course].",
            "Their desserts are [homemade|baked in house], [the pie above all|try the cake].",
            "The [cherry|apple|pecan] pie [was still warm|is homemade], [what a dessert|and the pudding too].",
            "The [carrot|chocolate|almond] cake is baked [every morning|in their own oven], [like all desserts|homemade].",
            "[Bread|Rice|Plum] pudding [and pie|and cake], all homemade [desserts|and baked here].",
            "They bake [the cakes|the pies|all their desserts] themselves.",
            "The dessert [tray|cart] [has three pies|is full of cakes], all [homemade|baked in house].",
            "Homemade desserts, [pies and puddings|cakes baked daily].",
            "Every sweet thing on the counter comes out of their own oven.",
        ],
        decoys: &[
            "We had brought our own cake for [the birthday|my niece].",
            "The square outside bakes in the [noon|summer] sun.",
        ],
    },
];

/// Topics on which nothing depends, with their share of the reviews.
pub const TOPICS: &[(f64, &[&str])] = &[
    (
        0.20,
        &[
            "[Parking|Finding a parking spot] [is easy after six|took two rounds of the block].",
            "There is a [garage|parking lot] [across the street|behind the building].",
            "We parked [on the street|by the church|near the library].",
        ],
    ),
    (
        0.16,
        &[
            "It [rained|snowed|was pouring] [when we arrived|the whole time].",
            "The sun was out and [we sat on the terrace|the terrace was open].",
            "A windy day, [so we sat inside|the umbrellas were closed].",
        ],
    ),
    (
        0.16,
        &[
            "We were there for [my birthday|an anniversary|my son's graduation].",
            "[A family party|A birthday party|Eight of us] took the [long table|back room].",
            "We [celebrated|were celebrating] [a new job|my sister's exam].",
        ],
    ),
    (
        0.18,
        &[
            "I had a [glass of red wine|pale ale|ginger beer|gin and tonic].",
            "The wine list [covers two pages|is mostly Italian].",
            "They pour [three local beers|cider from the region].",
        ],
    ),
    (
        0.18,
        &[
            "The walls are [dark wood|brick|painted green] with [old maps|photographs|mirrors].",
            "The room has [high ceilings|low lamps|round windows].",
            "[Old maps|Copper pans|Film posters] hang on the walls.",
        ],
    ),
    (
        0.16,
        &[
            "It is [in the old town|near the harbour|by the train station|on the hill].",
            "The restaurant sits [above a bookshop|on a corner|in a former bank].",
            "You find it [in a side street|on the square|past the town hall].",
        ],
    ),
    (
        0.14,
        &[
            "The menu [has four pages|changes every month|fits on one page].",
            "There are [two|several] vegetarian [dishes|choices] on the menu.",
            "The menu is in [English and Spanish|three languages].",
        ],
    ),
    (
        0.12,
        &[
            "The [game|match] was on [three screens|the big screen].",
            "A television [over the bar|in the corner] showed [football|baseball|tennis].",
        ],
    ),
    (
        0.14,
        &[
            "[Booking|A reservation] [works by phone|is done online|was not needed].",
            "We had reserved [a booth|for seven|by the window].",
        ],
    ),
    (
        0.12,
        &[
            "They take [cards|cash only|cards and cash].",
            "We [split the check|paid by card|tipped in cash].",
        ],
    ),
    (
        0.12,
        &[
            "There is a high chair for [toddlers|babies] and [crayons|a small shelf of toys].",
            "[Our kids|The twins|My nephews] drew [pictures|dinosaurs] on the paper mats.",
        ],
    ),
    (
        0.12,
        &[
            "I drank [mint tea|black coffee|an espresso|a cup of tea] [afterwards|first].",
            "Coffee comes [with a biscuit|in small cups].",
        ],
    ),
];

pub const OPENERS: &[&str] = &[
    "[Stopped by|Dropped in|Came here] on a [Monday|Tuesday|Wednesday|Saturday] [evening|afternoon].",
    "[First|Second|Third] visit [this year|since they opened|in a while].",
    "[My wife|My brother|A friend|A colleague] and I [had dinner|had lunch|met] here [last week|in March|in October].",
    "We were [five|three|four|six] people [on a weeknight|after a concert|before the theatre].",
    "A [neighbour|cousin|taxi driver] had mentioned this place.",
    "[Lunch|Dinner|Brunch] with [coworkers|my parents|old classmates].",
];

pub const DISHES_EATEN: &[&str] = &[
    "I had the {dish} and [my friend|my sister|he|she] had the {dish}.",
    "The {dish} comes with [rice|bread|beans|a small salad].",
    "We ordered the {dish}.",
    "My choice was the {dish}.",
    "The {dish} is [spicy|mild|on the salty side].",
];

pub const CLOSERS: &[&str] = &[
    "[That was|So much for] our [evening|visit].",
    "We left around [nine|ten|two].",
    "They are open until [ten|eleven|midnight].",
    "This is [what I remember|all I can say].",
    "Afterwards we [walked along the river|took the bus|went to the cinema].",
];

pub const DISHES: &[&str] = &[
    "soup",
    "burger",
    "pasta",
    "curry",
    "salad",
    "pizza",
    "omelette",
    "risotto",
    "stew",
    "steak",
    "chicken",
    "lasagna",
    "ramen",
    "burrito",
    "paella",
    "chili",
    "schnitzel",
    "falafel",
    "lamb",
    "quiche",
];
