use engine::prelude::*;

#[hook]
struct Ema {
    // mistake: a default outside its range
    #[config(default = 0, range = 1..=8)]
    a: i64,
    // mistake: the end of an open range is outside
    #[config(default = 1.0, range = 0.0..1.0)]
    b: f64,
    // mistake: a negative default outside
    #[config(default = -0.5, range = 0.0..)]
    c: f64,
    // mistake: nothing lies in the range
    #[config(default = 4, range = 8..=1)]
    d: i64,
    // mistake: everything lies in the range
    #[config(default = 4, range = ..)]
    e: i64,
    // mistake: a number is no range
    #[config(default = 4, range = 8)]
    f: i64,
    // mistake: a misspelt argument
    #[config(defualt = 4)]
    g: i64,
    // mistake: no parentheses
    #[config = 4]
    h: i64,
    // mistake: an argument that there is not
    #[config(default = 4, help = "how many")]
    i: i64,
    // mistake: the default of an integer outside its range
    #[config(default, range = 1..)]
    j: u64,
    // mistake: the default of a float outside its range
    #[config(range = 0.5..1.0, default)]
    k: f64,
}

#[phases]
impl Ema {
    fn after_train_iter(&mut self, _cx: &mut Context<'_>) -> Result<()> {
        self.a += self.d + self.e + self.f + self.g + self.h + self.i;
        self.j += 1;
        self.b += self.c + self.k;
        Ok(())
    }
}

fn main() {}
