using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Actors.Core;

public sealed class ExecutedBookTests
{
    [Fact]
    public void Answer_that_comes_late_is_remembered_from_then_on()
    {
        var book = ExecutedBook.Empty.Add(new Executed("long", null, null, "operator:ann", "c"), 8);
        for (var i = 0; i < 8; i++)
        {
            book = book.Settle(StoredAnswer.Of($"m{i}", new Done(), null), "operator:ann", "c", 8);
        }
        book = book.Settle(StoredAnswer.Of("long", new Done(), null), "operator:ann", "c", 8);
        Assert.NotNull(book.Find("long")?.Answer);
        Assert.Null(book.Find("m0"));
    }

    [Fact]
    public void However_many_wait_an_answer_is_remembered()
    {
        var book = ExecutedBook.Empty;
        for (var i = 0; i < 300; i++)
        {
            book = book.Add(new Executed($"m{i}", null, null, "operator:ann", "c"), 8);
        }
        for (var i = 0; i < 20; i++)
        {
            book = book.Settle(StoredAnswer.Of($"m{i}", new Done(), null), "operator:ann", "c", 8);
            Assert.NotNull(book.Find($"m{i}")?.Answer);
        }
        Assert.Null(book.Find("m11"));
        Assert.NotNull(book.Find("m12")?.Answer);
        Assert.NotNull(book.Find("m299"));
        Assert.Equal(8, book.All.Count(executed => executed.Answer is not null));
    }
}
