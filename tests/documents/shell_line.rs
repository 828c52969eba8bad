//! A line of shell, cut into commands and their words. It knows what the documents use: quotes, comments, `&&`, `|`, `>`.

/// The commands of a line, each a list of words without quotes. Redirections and comments are left out.
pub fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut words = words(line).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "&&" | "|" | ";" => commands.push(Vec::new()),
            // The file of a redirection is no argument.
            ">" | ">>" | "<" => drop(words.next()),
            _ if word.starts_with('>') => {}
            _ => commands.last_mut().expect("there is always one").push(word),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut has_word) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') => (quote, has_word) = (Some(letter), true),
            (None, '#') if !has_word && word.is_empty() => break,
            (None, ' ') => {
                if has_word || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
            }
            (None, _) => word.push(letter),
        }
    }
    if has_word || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn a_line_is_cut_as_a_shell_cuts_it() {
    let cut = commands("make build && curl -d '{\"a\": 1}' x#y   # why");
    assert_eq!(cut, [vec!["make", "build"], vec!["curl", "-d", "{\"a\": 1}", "x#y"]]);
    assert_eq!(commands("ocelli config default >my.toml | less"), [vec!["ocelli", "config", "default"], vec!["less"]]);
    assert_eq!(commands("# only a comment"), Vec::<Vec<String>>::new());
}
