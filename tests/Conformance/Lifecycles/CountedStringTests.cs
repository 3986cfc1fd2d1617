using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>switch.md 7.6 O11: counted strings are decoded by their length alone.</summary>
public sealed class CountedStringTests
{
    [Theory]
    [InlineData("")]
    [InlineData("port")]
    [InlineData("Ü{A1}")]
    [InlineData("with\0a NUL")]
    [InlineData("\ud800 half a pair")]
    public void O11_Text_is_what_the_length_says(string text) => Assert.Equal(text, CountedString.Decode(Bytes(text)));

    [Fact]
    public void O11_What_follows_the_length_is_not_read() =>
        Assert.Equal("abc", CountedString.Decode([.. Bytes("abc"), .. "XYZ\0"u8]));

    [Theory]
    [InlineData(3, 10)]
    [InlineData(4, 3)]
    [InlineData(514, 600)]
    [InlineData(0xffff, 516)]
    public void O11_Odd_missing_or_excessive_length_is_refused(int length, int bytes) =>
        Assert.Null(CountedString.Decode([(byte)(length & 0xff), (byte)(length >> 8), .. new byte[bytes]]));

    [Fact]
    public void O11_Longest_string_fits_and_no_length_at_all_is_refused()
    {
        Assert.Equal(256, CountedString.Decode(Bytes(new string('x', 256)))?.Length);
        Assert.Null(CountedString.Decode([]));
        Assert.Null(CountedString.Decode([0]));
    }

    static byte[] Bytes(string text)
    {
        var units = new byte[2 * text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            (units[2 * i], units[2 * i + 1]) = ((byte)(text[i] & 0xff), (byte)(text[i] >> 8));
        }
        return [(byte)(units.Length & 0xff), (byte)(units.Length >> 8), .. units];
    }
}
